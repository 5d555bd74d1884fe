using System.Buffers;

namespace Ashlar.Volumes;

/// <summary>
/// The rule of names. Lower case only: a name becomes part of an iSCSI name, which knows no capitals (RFC 3722), and a path
/// on the command line, where '/' and '@' separate pool, volume and snapshot.
/// </summary>
static class VolumeName
{
    public const int MaxLength = 128, MaxPoolLength = 64;

    public const string Rule = "a name is 1 to 128 of a-z, 0-9, '.', '_' and '-', and starts with a letter or digit";
    const string PoolRule = "a pool's name is 1 to 64 of a-z, 0-9, '_' and '-', and starts with a letter or digit";

    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Fails unless a name follows the rule.</summary>
    /// <exception cref="VolumeNameException">The name breaks the rule.</exception>
    public static void Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Follows(name, MaxLength)) throw new VolumeNameException(name, VolumeNameProblem.Invalid, Rule);
    }

    /// <summary>Whether a name follows the rule.</summary>
    public static bool IsValid(string name) => Follows(name, MaxLength);

    /// <summary>
    /// Fails unless a new pool may have a name. Without dots: the iSCSI name of a volume is pool.volume, and must be read in one
    /// way only.
    /// </summary>
    /// <exception cref="VolumeNameException">The name breaks the rule.</exception>
    public static void CheckPool(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Follows(name, MaxPoolLength) || name.Contains('.', StringComparison.Ordinal))
            throw new VolumeNameException(name, VolumeNameProblem.Invalid, PoolRule);
    }

    static bool Follows(string name, int maxLength) =>
        name.Length > 0 && name.Length <= maxLength && !name.AsSpan().ContainsAnyExcept(Allowed) && char.IsAsciiLetterOrDigit(name[0]);
}
