using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// The only way users reach a device: turns byte ranges into blocks, validates, retries, counts and logs. A device has
/// one driver, shared by everyone who uses it, or a <see cref="VolumeFront"/>, which gives each client a driver of its
/// own over the locks that all of them share.
/// </summary>
/// <remarks>
/// <para>Byte <c>offset</c> lies in block <c>offset / blockSize</c> at byte <c>offset % blockSize</c>. Requests may
/// begin and end anywhere; those made of whole blocks pass straight to the device, without a copy or an allocation. A
/// request over several blocks is not atomic: after a failure each block holds its old or its new content.</para>
/// <para>An empty request within the bounds succeeds and does nothing.</para>
/// <para>Safe for concurrent callers. Of two writes that share a block the device sees the second when the first has
/// completed; bytes that only one of them covers are that one's.</para>
/// <para>A failure that the device calls transient is tried again, up to <see cref="BlockDriverOptions.MaxAttempts"/>
/// attempts in all; a flush never is, for a device that failed to flush may have lost what it was to keep.</para>
/// <para>Errors: <see cref="OutOfBoundsException"/>, <see cref="BadBlockException"/>,
/// <see cref="DeviceFullException"/>, <see cref="DeviceReadOnlyException"/>, <see cref="RetriesExhaustedException"/>,
/// <see cref="DeviceIOException"/>, all of them a <see cref="BlockDeviceException"/>; and
/// <see cref="Storage.CorruptDataException"/>. They come as the result of the returned task.</para>
/// </remarks>
public sealed partial class BlockDriver : IAsyncDisposable
{
    readonly int blockSizeBytes;
    readonly int blockShift;
    readonly int blockMask;
    readonly int maxAttempts;
    readonly bool logOperations;
    readonly Action<DriverLogEntry>? logSink;
    readonly TimeProvider timeProvider;
    readonly DriverCounters counters;
    readonly DeviceSlot slot;
    readonly RangeLocks changes;

    /// <summary>Puts a driver in front of a device.</summary>
    /// <param name="device">The device. Its block size must be a power of two and must not change; its size
    /// may.</param>
    /// <param name="options">How to retry and what to log; null for the defaults.</param>
    public BlockDriver(IBlockDevice device, BlockDriverOptions? options = null)
        : this(new DeviceSlot(device), new RangeLocks(), options)
    {
    }

    /// <summary>One of several drivers of a device: they share its slot, and the locks on its ranges.</summary>
    internal BlockDriver(DeviceSlot slot, RangeLocks changes, BlockDriverOptions? options)
    {
        var device = slot.Device;
        options ??= new BlockDriverOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxAttempts, 1);
        blockSizeBytes = device.Geometry.BlockSizeBytes;
        if (!int.IsPow2(blockSizeBytes))
            throw new ArgumentException($"{device.Name}: {blockSizeBytes} bytes are no power of two.", nameof(slot));
        this.slot = slot;
        this.changes = changes;
        blockShift = int.Log2(blockSizeBytes);
        blockMask = blockSizeBytes - 1;
        maxAttempts = options.MaxAttempts;
        logOperations = options.LogOperations;
        logSink = options.LogSink;
        timeProvider = options.TimeProvider;
        counters = new DriverCounters(timeProvider);
        Log = new DriverLog(options.LogCapacity);
    }

    /// <summary>The device.</summary>
    public IBlockDevice Device => slot.Device;

    /// <summary>Size in bytes.</summary>
    public long SizeBytes => Device.Geometry.SizeBytes;

    /// <summary>Retries and failures, and everything else if that was asked for.</summary>
    public DriverLog Log { get; }

    /// <summary>What the driver has done since it was created.</summary>
    public DriverStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Adds what the driver has done since it was created.</summary>
    public void AddTo(DriverTotals totals) => counters.AddTo(totals);

    /// <summary>Reads a byte range.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        var geometry = Device.Geometry;
        if (!IsInBounds(geometry, offsetBytes, destination.Length))
            return OutOfBounds(DriverOperation.Read, geometry, offsetBytes, destination.Length);
        if (destination.IsEmpty) return ValueTask.CompletedTask;

        var startedAt = timeProvider.GetTimestamp();
        if (!IsWholeBlocks(offsetBytes, destination.Length))
            return ReadPartialAsync(offsetBytes, destination, startedAt, cancellationToken);
        return Carry(DriverRequest.Read(BlockAt(offsetBytes), destination), startedAt, cancellationToken);
    }

    /// <summary>Writes a byte range.</summary>
    public ValueTask WriteAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        var geometry = Device.Geometry;
        if (!IsInBounds(geometry, offsetBytes, source.Length))
            return OutOfBounds(DriverOperation.Write, geometry, offsetBytes, source.Length);
        if (Device.IsReadOnly) return ReadOnly(DriverOperation.Write, offsetBytes, source.Length);
        if ((options & WriteOptions.Atomic) != WriteOptions.None && CheckAtomic(geometry, offsetBytes, source.Length) is { } refusal)
            return Refused(DriverOperation.Write, offsetBytes, source.Length, refusal);
        if (source.IsEmpty) return ValueTask.CompletedTask;

        var startedAt = timeProvider.GetTimestamp();
        return IsWholeBlocks(offsetBytes, source.Length)
            ? ChangeBlocks(
                DriverRequest.Write(BlockAt(offsetBytes), source, options),
                offsetBytes,
                source.Length,
                startedAt,
                cancellationToken)
            : WritePartialAsync(offsetBytes, source, options, startedAt, cancellationToken);
    }

    /// <summary>Makes a byte range read as zeros.</summary>
    /// <exception cref="NotSupportedException">
    /// <see cref="ZeroOptions.FastOnly"/> was asked for, and the device would have to write the zeros.
    /// </exception>
    public ValueTask WriteZeroesAsync(
        long offsetBytes,
        long lengthBytes,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        var geometry = Device.Geometry;
        if (!IsInBounds(geometry, offsetBytes, lengthBytes))
            return OutOfBounds(DriverOperation.WriteZeroes, geometry, offsetBytes, lengthBytes);
        if (Device.IsReadOnly) return ReadOnly(DriverOperation.WriteZeroes, offsetBytes, lengthBytes);
        if (lengthBytes == 0) return ValueTask.CompletedTask;

        var startedAt = timeProvider.GetTimestamp();
        return IsWholeBlocks(offsetBytes, lengthBytes)
            ? ChangeBlocks(
                DriverRequest.WriteZeroes(BlockAt(offsetBytes), lengthBytes >> blockShift, options),
                offsetBytes,
                lengthBytes,
                startedAt,
                cancellationToken)
            : WriteZeroesPartialAsync(offsetBytes, lengthBytes, options, startedAt, cancellationToken);
    }

    /// <summary>Trims the whole blocks within a byte range; the rest of it stays as it is.</summary>
    public ValueTask TrimAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken = default)
    {
        var geometry = Device.Geometry;
        if (!IsInBounds(geometry, offsetBytes, lengthBytes))
            return OutOfBounds(DriverOperation.Trim, geometry, offsetBytes, lengthBytes);
        if (Device.IsReadOnly) return ReadOnly(DriverOperation.Trim, offsetBytes, lengthBytes);

        // The end is within the device, whose size is a multiple of the block size, so rounding the start up cannot
        // overflow.
        var start = (offsetBytes + blockMask) & ~(long)blockMask;
        var end = (offsetBytes + lengthBytes) & ~(long)blockMask;
        if (start >= end) return ValueTask.CompletedTask;
        return ChangeBlocks(
            DriverRequest.Trim(BlockAt(start), (end - start) >> blockShift),
            start,
            end - start,
            timeProvider.GetTimestamp(),
            cancellationToken);
    }

    /// <summary>Makes every write that completed before this call durable.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        Carry(DriverRequest.Flush(), timeProvider.GetTimestamp(), cancellationToken);

    /// <summary>Closes the device.</summary>
    public ValueTask DisposeAsync() => Device.DisposeAsync();

    /// <summary>Writes, zeroes or trims whole blocks.</summary>
    ValueTask ChangeBlocks(
        in DriverRequest request,
        long offsetBytes,
        long lengthBytes,
        long startedAt,
        CancellationToken cancellationToken)
    {
        var range = new ByteRange(offsetBytes, offsetBytes + lengthBytes);
        var entering = changes.EnterAsync(range, cancellationToken);
        if (!entering.IsCompletedSuccessfully)
            return ChangeBlocksAfterWaitingAsync(entering, request, range, startedAt, cancellationToken);
        var pending = request.Issue(Device, cancellationToken);
        if (!pending.IsCompletedSuccessfully)
            return FinishAsync(pending, request, range, startedAt, cancellationToken);
        pending.GetAwaiter().GetResult();
        changes.Exit(range);
        Completed(request, startedAt);
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ChangeBlocksAfterWaitingAsync(
        ValueTask entering,
        DriverRequest request,
        ByteRange range,
        long startedAt,
        CancellationToken cancellationToken)
    {
        await entering.ConfigureAwait(false);
        await FinishAsync(request.Issue(Device, cancellationToken), request, range, startedAt, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Carries out a request that changes nothing, or what its caller holds.</summary>
    ValueTask Carry(in DriverRequest request, long startedAt, CancellationToken cancellationToken)
    {
        var pending = request.Issue(Device, cancellationToken);
        if (!pending.IsCompletedSuccessfully)
            return FinishAsync(pending, request, held: default, startedAt, cancellationToken);
        pending.GetAwaiter().GetResult();
        Completed(request, startedAt);
        return ValueTask.CompletedTask;
    }

    /// <summary>Waits for a request that was issued, and lets go what it holds.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FinishAsync(
        ValueTask pending,
        DriverRequest request,
        ByteRange held,
        long startedAt,
        CancellationToken cancellationToken)
    {
        try
        {
            await AttemptAsync(pending, request, startedAt, cancellationToken).ConfigureAwait(false);
            Completed(request, startedAt);
        }
        finally
        {
            if (held != default) changes.Exit(held);
        }
    }

    // A device that knows nothing of it would tear the write, so none is asked that does not say that it can.
    BlockDeviceException? CheckAtomic(in BlockGeometry geometry, long offsetBytes, int lengthBytes)
    {
        if (lengthBytes > geometry.MaxAtomicWriteBytes)
            return new AtomicWriteException(Device.Name, lengthBytes, geometry.MaxAtomicWriteBytes);
        return IsWholeBlocks(offsetBytes, lengthBytes) ? null : new BlockAlignmentException(Device.Name, lengthBytes, blockSizeBytes);
    }

    /// <summary>The blocks that a byte range touches, as bytes.</summary>
    ByteRange WholeBlocks(long offsetBytes, long lengthBytes) =>
        new(offsetBytes & ~(long)blockMask, (offsetBytes + lengthBytes + blockMask) & ~(long)blockMask);

    Lba BlockAt(long offsetBytes) => new(offsetBytes >> blockShift);

    bool IsWholeBlocks(long offsetBytes, long lengthBytes) => ((offsetBytes | lengthBytes) & blockMask) == 0;

    // Written so that no sum can overflow, whatever a client sends.
    static bool IsInBounds(in BlockGeometry geometry, long offsetBytes, long lengthBytes)
    {
        var sizeBytes = geometry.SizeBytes;
        return offsetBytes >= 0 && offsetBytes <= sizeBytes && lengthBytes >= 0 && lengthBytes <= sizeBytes - offsetBytes;
    }
}
