using System.Diagnostics;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// Wraps a device and makes it fail as told: errors that pass or stay, bad blocks, latency, torn writes, lost flushes.
/// It can also have a volatile cache, whose content <see cref="CutPowerAsync"/> loses.
/// </summary>
/// <remarks>Requests that no fault strikes reach the inner device unchanged.</remarks>
public sealed class FaultyDevice : IReservableDevice, IGrowableDevice, ICachingDevice
{
    readonly IBlockDevice inner;
    readonly IEntropySource entropy;
    readonly TimeProvider timeProvider;
    readonly Lock gate = new();
    readonly DeviceCounters counters = new();
    readonly List<DeviceFault> faults = [];
    readonly VolatileCache? cache;

    /// <summary>Wraps a device.</summary>
    /// <param name="inner">The device; it is closed with this one.</param>
    /// <param name="entropy">Decides by chance where a fault leaves something open; seeded, it replays.</param>
    /// <param name="timeProvider">The clock of delays; null for the system's.</param>
    /// <param name="hasVolatileCache">Whether writes that were not flushed can be lost by
    /// <see cref="CutPowerAsync"/>.</param>
    public FaultyDevice(
        IBlockDevice inner,
        IEntropySource entropy,
        TimeProvider? timeProvider = null,
        bool hasVolatileCache = false)
    {
        this.inner = inner;
        this.entropy = entropy;
        this.timeProvider = timeProvider ?? TimeProvider.System;
        cache = hasVolatileCache ? new VolatileCache(inner, entropy) : null;
    }

    /// <inheritdoc />
    public string Name => inner.Name;

    /// <inheritdoc />
    public BlockGeometry Geometry => inner.Geometry;

    /// <inheritdoc />
    public bool IsReadOnly => inner.IsReadOnly;

    /// <inheritdoc />
    public long? FreeSpaceBelowBytes => (inner as IReservableDevice)?.FreeSpaceBelowBytes;

    /// <summary>Adds a fault and returns it, so that its hits can be looked at and it can be removed.</summary>
    public DeviceFault Add(DeviceFault fault)
    {
        lock (gate) faults.Add(fault);
        return fault;
    }

    /// <summary>Removes a fault: it is repaired.</summary>
    public void Remove(DeviceFault fault)
    {
        lock (gate) faults.Remove(fault);
    }

    /// <summary>
    /// Loses what was written and not flushed: of each such block some sectors go back to what was last flushed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The device was made without a volatile cache.</exception>
    public ValueTask CutPowerAsync() =>
        cache?.LoseAsync() ?? throw new InvalidOperationException($"{Name}: has no volatile cache.");

    /// <inheritdoc />
    public async ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        try
        {
            var blockCount = Geometry.CheckBuffer(Name, start, destination.Length);
            await StrikeAsync(DriverOperation.Read, start, blockCount, cancellationToken).ConfigureAwait(false);
            await inner.ReadAsync(start, destination, cancellationToken).ConfigureAwait(false);
            counters.CountRead(destination.Length);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        try
        {
            var blockCount = Geometry.CheckBuffer(Name, start, source.Length);
            var fault = await StrikeAsync(DriverOperation.Write, start, blockCount, cancellationToken).ConfigureAwait(false);
            if (fault is { Kind: DeviceFaultKind.TornWrite })
                source = await TearAsync(start, source, cancellationToken).ConfigureAwait(false);
            await ChangeAsync(
                start,
                blockCount,
                isDurable: (options & WriteOptions.ForceUnitAccess) != WriteOptions.None,
                () => inner.WriteAsync(start, source, options, cancellationToken)).ConfigureAwait(false);
            if (fault is { Kind: DeviceFaultKind.TornWrite, IsSilent: false })
                throw Injected($"torn write of {blockCount} blocks at block {start}", isTransient: false);
            counters.CountWrite(source.Length);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            await StrikeAsync(DriverOperation.WriteZeroes, start, blockCount, cancellationToken).ConfigureAwait(false);
            await ChangeAsync(
                start,
                blockCount,
                isDurable: (options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None,
                () => inner.WriteZeroesAsync(start, blockCount, options, cancellationToken)).ConfigureAwait(false);
            counters.CountWrite(blockCount * Geometry.BlockSizeBytes);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            await StrikeAsync(DriverOperation.Trim, start, blockCount, cancellationToken).ConfigureAwait(false);
            await ChangeAsync(
                start,
                blockCount,
                isDurable: false,
                () => inner.TrimAsync(start, blockCount, cancellationToken)).ConfigureAwait(false);
            counters.CountTrim();
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var fault = await StrikeAsync(DriverOperation.Flush, default, 0, cancellationToken).ConfigureAwait(false);
            if (fault is not { Kind: DeviceFaultKind.LostFlush })
            {
                if (cache is null) await inner.FlushAsync(cancellationToken).ConfigureAwait(false);
                else await cache.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            counters.CountFlush();
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }
    }

    /// <inheritdoc />
    /// <remarks>No fault strikes it, and no loss of power takes it back.</remarks>
    public ValueTask ReserveAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        inner is IReservableDevice reservable
            ? reservable.ReserveAsync(start, blockCount, cancellationToken)
            : throw new NotSupportedException($"{Name}: the device cannot reserve space.");

    /// <inheritdoc />
    /// <remarks>No fault strikes it.</remarks>
    public ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default) =>
        inner is IGrowableDevice growable
            ? growable.GrowAsync(blockCount, cancellationToken)
            : throw new NotSupportedException($"{Name}: the device cannot grow.");

    /// <inheritdoc />
    public void DropCached(Lba start, long blockCount) => (inner as ICachingDevice)?.DropCached(start, blockCount);

    /// <inheritdoc />
    public bool IsFlushShort => inner is ICachingDevice { IsFlushShort: true };

    /// <inheritdoc />
    public TimeSpan FlushInterval
    {
        get => (inner as ICachingDevice)?.FlushInterval ?? TimeSpan.Zero;
        set
        {
            if (inner is ICachingDevice cache) cache.FlushInterval = value;
        }
    }

    /// <inheritdoc />
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) =>
        inner.DescribeExtents(start, blockCount, extents);

    /// <inheritdoc />
    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        cache?.Dispose();
        return inner.DisposeAsync();
    }

    DeviceIOException Injected(string what, bool isTransient) => new(Name, $"{what} (injected)", isTransient);

    // Uniform from 0 to 1: as many bits as a double holds.
    double Draw() => (entropy.NextUInt64() >> 11) * (1.0 / (1UL << 53));

    ValueTask ChangeAsync(Lba start, long blockCount, bool isDurable, Func<ValueTask> change) =>
        cache?.ChangeAsync(start, blockCount, isDurable, change) ?? change();

    /// <summary>Delays or fails a request, or returns the fault that its caller has to carry out.</summary>
    async ValueTask<DeviceFault?> StrikeAsync(
        DriverOperation operation,
        Lba start,
        long blockCount,
        CancellationToken cancellationToken)
    {
        var (delay, fault) = Choose(operation, start, blockCount);
        if (delay > TimeSpan.Zero) await Task.Delay(delay, timeProvider, cancellationToken).ConfigureAwait(false);
        return fault switch
        {
            { Kind: DeviceFaultKind.Error } =>
                throw Injected($"{operation} of {blockCount} blocks at block {start} failed", fault.IsTransient),
            { Kind: DeviceFaultKind.BadBlock } =>
                throw new BadBlockException(Name, new Lba(Math.Max(start.Value, fault.Start.Value))),
            _ => fault,
        };
    }

    // Delays add up; of the other faults the first that strikes is the one that happens.
    (TimeSpan Delay, DeviceFault? Fault) Choose(DriverOperation operation, Lba start, long blockCount)
    {
        lock (gate)
        {
            var delay = TimeSpan.Zero;
            foreach (var fault in faults)
            {
                if (!fault.Strikes(operation, start, blockCount, Draw)) continue;
                if (fault.Kind != DeviceFaultKind.Delay) return (delay, fault);
                delay += fault.Delay;
            }
            return (delay, null);
        }
    }

    /// <summary>
    /// What the medium holds after the write was torn: at least one sector old, unless the write has but one.
    /// </summary>
    async ValueTask<ReadOnlyMemory<byte>> TearAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        CancellationToken cancellationToken)
    {
        var torn = new byte[source.Length];
        await inner.ReadAsync(start, torn, cancellationToken).ConfigureAwait(false);
        Sectors.Mix(torn, source.Span, entropy);
        return torn;
    }
}
