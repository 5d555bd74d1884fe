namespace Ashlar.Volumes.Tests;

enum SnapshotStepKind
{
    Create = 0,
    Write,
    Discard,
    Flush,
    Commit,
    Take,
    Delete,
    Clone,
    Restore,
    Flatten,
    DeleteVolume,
    Reopen,
    Move,
}

/// <summary>One step of a workload with snapshots. Its number is also the version of the sectors that it writes.</summary>
/// <param name="Number">Its place in the workload.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Volumes">To which volumes; a clone comes second, after the volume that it comes from.</param>
/// <param name="Snapshot">Name of the snapshot.</param>
/// <param name="StartSector">First sector that is written or discarded.</param>
/// <param name="SectorCount">How many; of a volume that is created, all.</param>
sealed record SnapshotStep(
    int Number, SnapshotStepKind Kind, string[] Volumes, string Snapshot = "", int StartSector = 0, int SectorCount = 0)
{
    /// <summary>The step was refused and must have changed nothing.</summary>
    public bool WasRefused { get; set; }

    public override string ToString() => $"step {Number}: {Kind} {string.Join(',', Volumes)} {Snapshot} {StartSector}+{SectorCount}";
}

/// <summary>A sector that says which version of which sector it is.</summary>
static class VersionedSector
{
    public const int SizeBytes = 512;

    public static void Write(Span<byte> target, int version, int sector)
    {
        if (version == 0)
        {
            target.Clear();
            return;
        }

        target.Fill((byte)(version * 31));
        BitConverter.TryWriteBytes(target, version);
        BitConverter.TryWriteBytes(target[4..], sector);
    }

    /// <summary>The version; -1 if it is none of that sector.</summary>
    public static int Read(ReadOnlySpan<byte> source, int sector)
    {
        if (!source.ContainsAnyExcept((byte)0)) return 0;
        var version = BitConverter.ToInt32(source);
        var isWhole = version > 0
            && BitConverter.ToInt32(source[4..]) == sector
            && !source[8..].ContainsAnyExcept((byte)(version * 31));
        return isWhole ? version : -1;
    }
}
