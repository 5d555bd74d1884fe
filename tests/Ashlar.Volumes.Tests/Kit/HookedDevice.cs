using Ashlar.Blocks;

namespace Ashlar.Volumes.Tests;

/// <summary>Passes requests on, after asking the test what it thinks of them.</summary>
sealed class HookedDevice(IBlockDevice inner) : IReservableDevice, IGrowableDevice
{
    /// <summary>Runs before each write; may wait, or throw.</summary>
    public Func<Lba, Task> BeforeWrite { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs after each write that did not fail, before whoever asked for it learns of it.</summary>
    public Func<Lba, Task> AfterWrite { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each range is trimmed.</summary>
    public Func<Lba, Task> BeforeTrim { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each read.</summary>
    public Func<Lba, Task> BeforeRead { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each range is zeroed or reserved.</summary>
    public Func<Lba, Task> BeforeZeroes { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each flush.</summary>
    public Func<Task> BeforeFlush { get; set; } = () => Task.CompletedTask;

    public int Flushes { get; private set; }

    public long? FreeSpaceBelowBytes => (inner as IReservableDevice)?.FreeSpaceBelowBytes;

    public string Name => inner.Name;

    public BlockGeometry Geometry => inner.Geometry;

    public bool IsReadOnly => inner.IsReadOnly;

    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await BeforeRead(start);
        await inner.ReadAsync(start, destination, cancellationToken);
    }

    public async ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        await BeforeWrite(start);
        await inner.WriteAsync(start, source, options, cancellationToken);
        await AfterWrite(start);
    }

    public async ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        await BeforeZeroes(start);
        await inner.WriteZeroesAsync(start, blockCount, options, cancellationToken);
    }

    public async ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        await BeforeZeroes(start);
        if (inner is not IReservableDevice reservable) throw new NotSupportedException();
        await reservable.ReserveAsync(start, blockCount, cancellationToken);
    }

    public ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default) =>
        inner is IGrowableDevice growable ? growable.GrowAsync(blockCount, cancellationToken) : throw new NotSupportedException();

    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        await BeforeTrim(start);
        await inner.TrimAsync(start, blockCount, cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        await BeforeFlush();
        Flushes++;
        await inner.FlushAsync(cancellationToken);
    }

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => inner.DescribeExtents(start, blockCount, extents);

    public DeviceStatistics GetStatistics() => inner.GetStatistics();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
