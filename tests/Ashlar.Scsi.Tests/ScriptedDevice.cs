using Ashlar.Blocks;
using Ashlar.Blocks.Devices;

namespace Ashlar.Scsi.Tests;

/// <summary>A device in memory that does first what the test says: wait, fail, or count.</summary>
sealed class ScriptedDevice(long blockCount = 4096, int blockSizeBytes = 512) : IBlockDevice
{
    readonly MemoryDevice inner = new(blockCount, blockSizeBytes);

    public Func<Lba, ValueTask>? BeforeRead { get; set; }

    public Func<Lba, ValueTask>? BeforeWrite { get; set; }

    public Func<ValueTask>? BeforeFlush { get; set; }

    public List<(Lba Start, WriteOptions Options)> Writes { get; } = [];

    /// <summary>Ranges that were zeroed (with how) or trimmed (null).</summary>
    public List<ZeroOptions?> Cleared { get; } = [];

    /// <summary>Whether it keeps no list of what it was asked to do, for runs of any length.</summary>
    public bool IsForgetful { get; init; }

    public BlockGeometry? GeometryOverride { get; set; }

    public string Name => "scripted";

    public BlockGeometry Geometry => GeometryOverride ?? inner.Geometry;

    public bool IsReadOnly { get; set; }

    public int Flushes { get; private set; }

    /// <summary>Reads, writes, zeroings and trims that it was asked for.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>Whether the last write was told to give up.</summary>
    public bool IsWriteGivenUp => lastWrite.IsCancellationRequested;

    int calls;
    CancellationToken lastWrite;

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref calls);
        if (BeforeRead is { } before) await before(start);
        await inner.ReadAsync(start, destination, cancellationToken);
    }

    public async ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        lastWrite = cancellationToken;
        Interlocked.Increment(ref calls);
        if (BeforeWrite is { } before) await before(start);
        if (!IsForgetful) lock (Writes) Writes.Add((start, options));
        await inner.WriteAsync(start, source, options, cancellationToken);
    }

    public async ValueTask WriteZeroesAsync(
        Lba start, long blocks, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref calls);
        if (BeforeWrite is { } before) await before(start);
        if (!IsForgetful) lock (Cleared) Cleared.Add(options);
        await inner.WriteZeroesAsync(start, blocks, options, cancellationToken);
    }

    public async ValueTask TrimAsync(Lba start, long blocks, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref calls);
        if (BeforeWrite is { } before) await before(start);
        if (!IsForgetful) lock (Cleared) Cleared.Add(null);
        await inner.TrimAsync(start, blocks, cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (BeforeFlush is { } before) await before();
        Flushes++;
        await inner.FlushAsync(cancellationToken);
    }

    public int DescribeExtents(Lba start, long blocks, Span<BlockExtent> extents) => inner.DescribeExtents(start, blocks, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
