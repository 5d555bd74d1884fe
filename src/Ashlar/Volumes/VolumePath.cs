namespace Ashlar.CommandLine;

/// <summary>Where a volume is: "pool/volume", or "volume" in the pool main.</summary>
readonly record struct VolumePath(string Pool, string Volume)
{
    public const string MainPool = "main";

    /// <summary>Reads a path.</summary>
    /// <exception cref="FormatException">It has too many parts, or an empty one.</exception>
    public static VolumePath Parse(string text) => text.Split('/') switch
    {
        [{ Length: > 0 } volume] => new(MainPool, volume),
        [{ Length: > 0 } pool, { Length: > 0 } volume] => new(pool, volume),
        _ => throw new FormatException($"'{text}' is not the path of a volume: expected VOLUME or POOL/VOLUME"),
    };

    /// <summary>As people write it: the pool main goes without saying.</summary>
    public override string ToString() => Pool == MainPool ? Volume : $"{Pool}/{Volume}";
}
