namespace Ashlar.Simulation;

/// <summary>A change that the page cache holds and the medium may or may not: what a power cut chooses from.</summary>
/// <param name="EventIndex">Index in the trace of the event it came from.</param>
abstract record PendingChange(int EventIndex);

/// <summary>
/// What some directory slots stand for from now on; a renaming is one change of two slots, and atomic, as on every
/// journalling file system. Durable once each of <see cref="UnsyncedDirectories"/> was synced.
/// </summary>
sealed record PendingNames(int EventIndex, IReadOnlyList<DirectorySlot> Slots) : PendingChange(EventIndex)
{
    public HashSet<int> UnsyncedDirectories { get; } = [.. Slots.Select(slot => slot.Directory)];
}

/// <summary>A name in a directory, and the node it stands for; null when the name is gone.</summary>
readonly record struct DirectorySlot(int Directory, string Name, int? Node);

/// <summary>A new length. It may become durable without the bytes it uncovers, and they without it.</summary>
sealed record PendingLength(int EventIndex, int Node, long Length, bool IsCut) : PendingChange(EventIndex);

/// <summary>
/// New content of some sectors. What is kept is not what was written but what the page cache then held for the sectors that
/// were touched: the cache has one version of a sector, so a sector never mixes a later write with the absence of an earlier.
/// </summary>
/// <param name="EventIndex">Index in the trace of the event it came from.</param>
/// <param name="Node">The file.</param>
/// <param name="Start">First byte changed.</param>
/// <param name="End">One past the last byte changed.</param>
/// <param name="Snapshot">Content from <see cref="SnapshotStart"/> on; null for a hole, which is zeros.</param>
sealed record PendingData(int EventIndex, int Node, long Start, long End, byte[]? Snapshot) : PendingChange(EventIndex)
{
    public long SnapshotStart => Start / Page.SizeBytes * Page.SizeBytes;

    public int CountSectors(int sectorBytes) => (int)((End - 1) / sectorBytes - Start / sectorBytes + 1);

    /// <summary>Puts some of the sectors into a file, counted from the first that was touched.</summary>
    public void PutSectors(FileNode file, int sectorBytes, int first, int end)
    {
        var start = (Start / sectorBytes + first) * sectorBytes;
        var length = (long)(end - first) * sectorBytes;
        if (length == 0) return;
        if (Snapshot is null) file.PunchHole(start, length);
        else file.PutBytes(Snapshot.AsSpan((int)(start - SnapshotStart), (int)length), start);
    }
}
