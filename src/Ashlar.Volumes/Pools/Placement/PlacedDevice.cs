using System.Runtime.CompilerServices;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// What a pool sees of a device that has its metadata, too: the superblocks and the chunks of data, one behind the other. It does not
/// own the device.
/// </summary>
sealed class PlacedDevice(IBlockDevice below, PoolPlacement placement)
    : IReservableDevice, IGrowableDevice, ICachingDevice, IRedundantDevice
{
    readonly int blockBytes = below.Geometry.BlockSizeBytes;
    Piece[] pieces = PiecesOf(placement, below.Geometry.BlockSizeBytes);

    /// <summary>Makes room for so many chunks of the pool: lengthens the device, and puts metadata in their share.</summary>
    public Func<long, ValueTask>? Lengthen { get; set; }

    public string Name => below.Name;

    public BlockGeometry Geometry => below.Geometry with { BlockCount = Volatile.Read(ref pieces)[^1].End };

    public bool IsReadOnly => below.IsReadOnly;

    public long? FreeSpaceBelowBytes => (below as IReservableDevice)?.FreeSpaceBelowBytes;

    public string? SpaceBelowIdentity => (below as IReservableDevice)?.SpaceBelowIdentity;

    public int CopyCount => (below as IRedundantDevice)?.CopyCount ?? 1;

    public bool IsFlushShort => below is ICachingDevice { IsFlushShort: true };

    public TimeSpan FlushInterval
    {
        get => (below as ICachingDevice)?.FlushInterval ?? TimeSpan.Zero;
        set
        {
            if (below is ICachingDevice caching) caching.FlushInterval = value;
        }
    }

    /// <summary>The pool has grown.</summary>
    public void Move(PoolPlacement next) => Volatile.Write(ref pieces, PiecesOf(next, blockBytes));

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        var count = Geometry.CheckBuffer(Name, start, destination.Length);
        return TryMove(start, count, out var moved)
            ? below.ReadAsync(moved, destination, cancellationToken)
            : ForEachAsync(start, count, (place, done, blocks) =>
                below.ReadAsync(place, destination.Slice((int)(done * blockBytes), (int)(blocks * blockBytes)), cancellationToken));
    }

    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        var count = Geometry.CheckBuffer(Name, start, source.Length);
        return TryMove(start, count, out var moved)
            ? below.WriteAsync(moved, source, options, cancellationToken)
            : ForEachAsync(start, count, (place, done, blocks) =>
                below.WriteAsync(place, source.Slice((int)(done * blockBytes), (int)(blocks * blockBytes)), options, cancellationToken));
    }

    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        Geometry.CheckRange(Name, start, blockCount);
        return TryMove(start, blockCount, out var moved)
            ? below.WriteZeroesAsync(moved, blockCount, options, cancellationToken)
            : ForEachAsync(start, blockCount, (place, _, blocks) => below.WriteZeroesAsync(place, blocks, options, cancellationToken));
    }

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        Geometry.CheckRange(Name, start, blockCount);
        return TryMove(start, blockCount, out var moved)
            ? below.TrimAsync(moved, blockCount, cancellationToken)
            : ForEachAsync(start, blockCount, (place, _, blocks) => below.TrimAsync(place, blocks, cancellationToken));
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => below.FlushAsync(cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        var piece = Find(start.Value);
        var found = below.DescribeExtents(piece.Move(start.Value), Math.Min(blockCount, piece.End - start.Value), extents);
        var covered = 0L;
        foreach (var extent in extents[..found]) covered += extent.BlockCount;
        return found == extents.Length || covered == blockCount
            ? found
            : found + DescribeExtents(new Lba(start.Value + covered), blockCount - covered, extents[found..]);
    }

    public DeviceStatistics GetStatistics() => below.GetStatistics();

    public ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (below is not IReservableDevice reservable) throw new NotSupportedException($"{Name} cannot reserve space.");
        return ForEachAsync(start, blockCount, (place, _, blocks) => reservable.ReserveAsync(place, blocks, cancellationToken));
    }

    public async ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default)
    {
        if (Lengthen is null) throw new NotSupportedException($"{Name} cannot grow.");
        await Lengthen(checked(blockCount * blockBytes) / MapLayout.ChunkBytes);
    }

    public void DropCached(Lba start, long blockCount)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (below is not ICachingDevice caching) return;
        for (long done = 0; done < blockCount;)
        {
            var piece = Find(start.Value + done);
            var blocks = Math.Min(blockCount - done, piece.End - start.Value - done);
            caching.DropCached(piece.Move(start.Value + done), blocks);
            done += blocks;
        }
    }

    public async ValueTask<bool> ReadCopyAsync(Lba start, Memory<byte> destination, int copy, CancellationToken cancellationToken = default)
    {
        if (below is not IRedundantDevice redundant)
        {
            await ReadAsync(start, destination, cancellationToken);
            return true;
        }

        var isRead = true;
        await ForEachAsync(start, Geometry.CheckBuffer(Name, start, destination.Length), async (place, done, blocks) =>
            isRead &= await redundant.ReadCopyAsync(
                place, destination.Slice((int)(done * blockBytes), (int)(blocks * blockBytes)), copy, cancellationToken));
        return isRead;
    }

    public ValueTask RewriteAsync(Lba start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        below is not IRedundantDevice redundant
            ? WriteAsync(start, source, WriteOptions.None, cancellationToken)
            : ForEachAsync(start, Geometry.CheckBuffer(Name, start, source.Length), (place, done, blocks) =>
                redundant.RewriteAsync(place, source.Slice((int)(done * blockBytes), (int)(blocks * blockBytes)), cancellationToken));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    bool TryMove(Lba start, long blockCount, out Lba moved)
    {
        var piece = Find(start.Value);
        moved = piece.Move(start.Value);
        return blockCount <= piece.End - start.Value;
    }

    [AsyncMethodBuilder(typeof(Storage.WorkerMethodBuilder))]
    async ValueTask ForEachAsync(Lba start, long blockCount, Func<Lba, long, long, ValueTask> action)
    {
        for (long done = 0; done < blockCount;)
        {
            var piece = Find(start.Value + done);
            var blocks = Math.Min(blockCount - done, piece.End - start.Value - done);
            await action(piece.Move(start.Value + done), done, blocks);
            done += blocks;
        }
    }

    Piece Find(long block)
    {
        var all = Volatile.Read(ref pieces);
        foreach (var piece in all)
            if (block < piece.End) return piece;
        return all[^1];
    }

    static Piece[] PiecesOf(PoolPlacement placement, int blockBytes)
    {
        var perChunk = MapLayout.ChunkBytes / blockBytes;
        var found = new List<Piece> { new(MapLayout.ReservedChunks * perChunk, 0) };
        long metadata = 0;
        foreach (var segment in placement.Segments)
        {
            metadata += segment.MetadataChunks * perChunk;
            found.Add(new(found[^1].End + (segment.DataChunks * perChunk), metadata));
        }

        return [.. found];
    }

    /// <param name="End">Block of the pool behind it.</param>
    /// <param name="Shift">How much farther behind its blocks lie on the device.</param>
    readonly record struct Piece(long End, long Shift)
    {
        public Lba Move(long block) => new(block + Shift);
    }
}
