using System.Buffers;

namespace Ashlar.Volumes;

/// <summary>
/// The rule of names. Lower case only: a name becomes part of an iSCSI name, which knows no capitals (RFC 3722), and a path
/// on the command line, where '/' and '@' separate pool, volume and snapshot.
/// </summary>
static class VolumeName
{
    public const int MaxLength = 128;

    const string Rule = "a name is 1 to 128 of a-z, 0-9, '.', '_' and '-', and starts with a letter or digit";

    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Fails unless a name follows the rule.</summary>
    /// <exception cref="VolumeNameException">The name breaks the rule.</exception>
    public static void Check(string name, int maxLength = MaxLength)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0 || name.Length > maxLength || name.AsSpan().ContainsAnyExcept(Allowed) || !char.IsAsciiLetterOrDigit(name[0]))
            throw new VolumeNameException(name, Rule);
    }
}

/// <summary>A volume name is not valid, taken, or unknown.</summary>
public sealed class VolumeNameException(string name, string problem)
    : Storage.AshlarException($"volume '{name}': {problem}")
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
