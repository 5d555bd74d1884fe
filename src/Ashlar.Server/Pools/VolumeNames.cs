namespace Ashlar.Server;

/// <summary>
/// Names of volumes end up in iSCSI qualified names, URLs and paths, so they are made of what all of those take unchanged.
/// </summary>
static class VolumeNames
{
    public const int MaxLength = 63;

    public const string Rule = "1 to 63 of a-z, 0-9, '-' and '.', beginning and ending with a letter or digit";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength
        && char.IsAsciiLetterOrDigit(name[0])
        && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');
}
