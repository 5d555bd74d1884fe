namespace Ashlar.CommandLine;

/// <summary>Where a snapshot is: "pool/volume@name", or "volume@name" in the pool main.</summary>
readonly record struct SnapshotPath(VolumePath Volume, string Name)
{
    /// <summary>Reads a path.</summary>
    /// <exception cref="FormatException">It is none of a snapshot.</exception>
    public static SnapshotPath Parse(string text)
    {
        if (text.Split('@') is not [{ Length: > 0 } volume, { Length: > 0 } name])
            throw new FormatException($"'{text}' is not the path of a snapshot: expected VOLUME@NAME or POOL/VOLUME@NAME");
        try
        {
            return new(VolumePath.Parse(volume), name);
        }
        catch (FormatException e)
        {
            throw new FormatException($"'{text}' is not the path of a snapshot: expected VOLUME@NAME or POOL/VOLUME@NAME", e);
        }
    }

    /// <summary>As people write it: the pool main goes without saying.</summary>
    public override string ToString() => $"{Volume}@{Name}";
}
