using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>A bug that a set could have, as its members would see it.</summary>
public enum PlantedBug
{
    None,
    NoFlushOfTheJournal,
    InPlaceBeforeTheJournal,
    NoMarksOfRegions,
    GenerationNotRaised,
    ParityOfOldData,
    TailNotZeroed,
    TailNotFlushed,
}

/// <summary>A member of a set that has a bug: it does not do what it is told, or not when.</summary>
sealed class PlantedDevice(IBlockDevice inner, PlantedBug bug) : IBlockDevice
{
    readonly Dictionary<long, byte[]> old = [];
    (Lba Start, byte[] Content)? held;
    MemberAreas areas;
    bool isArmed;
    bool hasJournaled, hasZeroedTail;

    public string Name => inner.Name;

    /// <summary>What the set may see of it; null for all.</summary>
    public long? LimitBytes { get; set; }

    public BlockGeometry Geometry => LimitBytes is { } limit
        ? inner.Geometry with { BlockCount = limit / inner.Geometry.BlockSizeBytes }
        : inner.Geometry;

    public bool IsReadOnly => inner.IsReadOnly;

    /// <summary>From now on it is as buggy as it can be.</summary>
    public void Arm(MemberAreas of) => (areas, isArmed) = (of, true);

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await inner.ReadAsync(start, destination, cancellationToken);
        var block = Geometry.BlockSizeBytes;
        for (var i = 0; i < destination.Length / block; i++)
            if (old.TryGetValue(start.Value + i, out var content)) content.CopyTo(destination[(i * block)..]);
    }

    public async ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        var at = start.ToOffsetBytes(Geometry.BlockSizeBytes);
        var isSuperblock = isArmed && at < MemberAreas.RegionMapAt(0);
        var isMark = isArmed && at >= MemberAreas.RegionMapAt(0) && at < MemberAreas.RegionMapAt(1);
        var isData = isArmed && at >= areas.DataAt;
        var isJournal = isArmed && !isData && at >= areas.JournalSlotAt(0);
        if (isSuperblock && bug == PlantedBug.GenerationNotRaised) return;
        if (isMark && bug == PlantedBug.NoMarksOfRegions) return;
        if (isJournal && bug == PlantedBug.InPlaceBeforeTheJournal)
        {
            held = (start, source.ToArray());
            return;
        }

        hasJournaled |= isJournal;
        if (isData && bug == PlantedBug.ParityOfOldData) await KeepOldAsync(start, source.Length);
        await inner.WriteAsync(start, source, options, cancellationToken);
        if (isData && held is { } late)
        {
            held = null;
            await inner.WriteAsync(late.Start, late.Content, WriteOptions.None, cancellationToken);
        }
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        var isTail = isArmed && start.ToOffsetBytes(Geometry.BlockSizeBytes) >= areas.DataAt + areas.DataBytes;
        if (isTail && bug == PlantedBug.TailNotZeroed) return ValueTask.CompletedTask;
        hasZeroedTail |= isTail;
        return inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);
    }

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        inner.TrimAsync(start, blockCount, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        old.Clear();
        if (hasZeroedTail && bug == PlantedBug.TailNotFlushed)
        {
            hasZeroedTail = false;
            return ValueTask.CompletedTask;
        }

        if (!hasJournaled || bug != PlantedBug.NoFlushOfTheJournal) return inner.FlushAsync(cancellationToken);
        hasJournaled = false;
        return ValueTask.CompletedTask;
    }

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    async ValueTask KeepOldAsync(Lba start, int length)
    {
        for (var i = 0; i < length / Geometry.BlockSizeBytes; i++)
        {
            if (old.ContainsKey(start.Value + i)) continue;
            var content = new byte[Geometry.BlockSizeBytes];
            await inner.ReadAsync(start + i, content);
            old.Add(start.Value + i, content);
        }
    }
}
