namespace Ashlar.Blocks.FileSystem;

// Whether everything belongs to whom it should.
public sealed partial class BlockFileSystem
{
    const long OwnerNone = 0, OwnerSystem = -1; // Others are numbers of inodes.
    const int MaxListed = 100;

    /// <summary>
    /// Reads the metadata from the device again, compares them with those in memory, and looks for units that belong to two or that nobody
    /// can get. Commits wait meanwhile.
    /// </summary>
    /// <exception cref="Storage.CorruptDataException">The metadata on the device are damaged.</exception>
    public FileSystemCheck Verify()
    {
        lock (committing)
        {
            var read = new MetadataImage(region.Name, log.Header.UnitCount, unitBytes);
            var again = MetadataLog.Open(region, log.Header, rules, Storage.SystemEntropy.Instance, read);
            lock (gate)
            {
                RequireOpen();
                var owners = new long[units.Count];
                var twice = new List<long>();
                Own(new UnitRun(0, log.Header.HeaderUnits), OwnerSystem);
                for (var i = 0; i < 2; i++) Own(log.Header.Area(i), OwnerSystem);
                foreach (var (number, node) in read.Nodes)
                    foreach (var extent in node.Extents.Extents) Own(extent.Run, number);
                foreach (var inode in inodes.Values.Concat(dead))
                {
                    foreach (var extent in inode.Extents.Extents) Own(extent.Run, inode.Number);
                    foreach (var run in inode.Changes.Freed) Own(run, inode.Number);
                }

                var leaked = new List<long>();
                for (long unit = 0; unit < units.Count; unit++)
                {
                    if (units.IsTaken(unit) == (owners[unit] != OwnerNone)) continue;
                    if (units.IsTaken(unit)) leaked.Add(unit);
                    else twice.Add(unit); // Owned, and to be given away once more.
                }

                return new FileSystemCheck(inodes.Count, units.Count, units.Free, again.Sequence == log.Sequence && IsSame(read, image))
                {
                    Leaked = [.. leaked.Take(MaxListed)],
                    DoublyOwned = [.. twice.Take(MaxListed)],
                };

                void Own(UnitRun run, long owner)
                {
                    for (var unit = run.Unit; unit < run.End; unit++)
                    {
                        if (owners[unit] != OwnerNone && owners[unit] != owner) twice.Add(unit);
                        owners[unit] = owner;
                    }
                }
            }
        }
    }

    static bool IsSame(MetadataImage one, MetadataImage other) =>
        one.Nodes.Count == other.Nodes.Count
        && one.Nodes.All(node => other.Nodes.TryGetValue(node.Key, out var found)
            && node.Value.LengthBytes == found.LengthBytes
            && node.Value.Extents.Extents.SequenceEqual(found.Extents.Extents)
            && (node.Value.Names is null == found.Names is null)
            && (node.Value.Names is null || node.Value.Names.SequenceEqual(found.Names!)));
}

/// <summary>What <see cref="BlockFileSystem.Verify"/> has found.</summary>
/// <param name="Inodes">Files and directories.</param>
/// <param name="Units">Units of the region.</param>
/// <param name="FreeUnits">Those that can be given away at once.</param>
/// <param name="IsAsCommitted">Whether the device says what was committed.</param>
public sealed record FileSystemCheck(long Inodes, long Units, long FreeUnits, bool IsAsCommitted)
{
    /// <summary>The first units that are taken, but by nobody.</summary>
    public IReadOnlyList<long> Leaked { get; init; } = [];

    /// <summary>The first units that belong to two, or to one and to what is free.</summary>
    public IReadOnlyList<long> DoublyOwned { get; init; } = [];

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsSound => IsAsCommitted && Leaked.Count == 0 && DoublyOwned.Count == 0;
}
