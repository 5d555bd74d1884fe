using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// Several devices as one: each goes on where the one before it ends. The first is as it was before it had company; the others carry a
/// label, which says to which set they belong and where. The last one can grow, and further ones can be added, also while it is in use.
/// </summary>
/// <remarks>
/// <para>There is no redundancy: without one of its devices the set cannot be used.</para>
/// <para>After a flush that failed on one device the whole set refuses writes and flushes, until it is opened again.</para>
/// </remarks>
public sealed partial class ConcatDevice : IReservableDevice, IGrowableDevice, ICachingDevice
{
    readonly Guid setId;
    readonly DeviceCounters counters = new();
    readonly AsyncLock growing = new();
    readonly PassingCalls flushes = new();
    readonly int blockSizeBytes;
    ConcatMember[] members; // Replaced as a whole; those that were there stay where they are.
    DeviceIOException? latched;
    TimeSpan flushInterval;

    ConcatDevice(Guid setId, ConcatMember[] members)
    {
        this.setId = setId;
        this.members = members;
        blockSizeBytes = members[0].Device.Geometry.BlockSizeBytes;
        Name = members[0].Device.Name;
        IsReadOnly = members.Any(member => member.Device.IsReadOnly);
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public BlockGeometry Geometry => new(blockSizeBytes, Members[^1].EndBlock, blockSizeBytes);

    /// <inheritdoc />
    public bool IsReadOnly { get; }

    /// <summary>The devices, in their order.</summary>
    public IReadOnlyList<IBlockDevice> Devices => [.. Members.Select(member => member.Device)];

    /// <inheritdoc />
    public bool IsFlushShort =>
        Members.All(static member => member.Device is GapDevice or ICachingDevice { IsFlushShort: true });

    /// <inheritdoc />
    public TimeSpan FlushInterval
    {
        get => flushInterval;
        set
        {
            flushInterval = value;
            foreach (var member in Members)
                if (member.Device is ICachingDevice device) device.FlushInterval = value;
        }
    }

    ConcatMember[] Members => Volatile.Read(ref members);

    /// <inheritdoc />
    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        try
        {
            var blocks = Geometry.CheckBuffer(Name, start, destination.Length);
            if (blocks == 0) return ValueTask.CompletedTask;
            var member = MemberOf(start.Value);
            var pending = start.Value + blocks <= member.EndBlock
                ? member.Device.ReadAsync(member.On(start.Value), destination, cancellationToken)
                : ReadPiecesAsync(start.Value, destination, cancellationToken);
            return counters.CountReadAsync(pending, destination.Length);
        }
        catch (BlockDeviceException e)
        {
            return Failed(e);
        }
    }

    /// <inheritdoc />
    public ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        try
        {
            var blocks = Geometry.CheckBuffer(Name, start, source.Length);
            CheckWritable();
            if (blocks == 0) return ValueTask.CompletedTask;
            var member = MemberOf(start.Value);
            var pending = start.Value + blocks <= member.EndBlock
                ? member.Device.WriteAsync(member.On(start.Value), source, options, cancellationToken)
                : WritePiecesAsync(start.Value, source, options, cancellationToken);
            return counters.CountWriteAsync(pending, source.Length);
        }
        catch (BlockDeviceException e)
        {
            return Failed(e);
        }
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            foreach (var (member, first, count) in Split(start.Value, blockCount))
                await member.Device.WriteZeroesAsync(member.On(first), count, options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(blockCount * blockSizeBytes);
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            foreach (var (member, first, count) in Split(start.Value, blockCount))
                await member.Device.TrimAsync(member.On(first), count, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountTrim();
    }

    /// <inheritdoc />
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            if (Volatile.Read(ref latched) is { } failure) throw failure;
            await FlushAllAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountFlush();
    }

    /// <inheritdoc />
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        extents[0] = new BlockExtent(BlockExtentKind.Data, blockCount);
        return 1;
    }

    /// <inheritdoc />
    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Closes all devices, also when one of them fails to.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        var calls = CallSet.Take();
        foreach (var member in Members) calls.Add(member.Device.DisposeAsync());
        await calls.WhenAllAsync().ConfigureAwait(false);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is thrown again; here it is remembered.")]
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FlushAllAsync()
    {
        var pass = flushes.Enter(); // Before it looks which devices there are.
        var calls = CallSet.Take();
        foreach (var member in Members) calls.Add(member.Device.FlushAsync(CancellationToken.None));
        try
        {
            await calls.WhenAllAsync().ConfigureAwait(false);
        }
        catch (BlockDeviceException e)
        {
            // One device may have lost what it held. The others go on by themselves, so it is remembered here.
            Interlocked.CompareExchange(
                ref latched, e as DeviceIOException ?? new DeviceIOException(Name, e.Message, isTransient: false, e), null);
            throw;
        }
        finally
        {
            flushes.Exit(pass);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadPiecesAsync(long block, Memory<byte> destination, CancellationToken cancellationToken)
    {
        foreach (var (member, first, count) in Split(block, destination.Length / blockSizeBytes))
        {
            var piece = destination.Slice((int)(first - block) * blockSizeBytes, (int)count * blockSizeBytes);
            await member.Device.ReadAsync(member.On(first), piece, cancellationToken).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WritePiecesAsync(
        long block, ReadOnlyMemory<byte> source, WriteOptions options, CancellationToken cancellationToken)
    {
        foreach (var (member, first, count) in Split(block, source.Length / blockSizeBytes))
        {
            var piece = source.Slice((int)(first - block) * blockSizeBytes, (int)count * blockSizeBytes);
            await member.Device.WriteAsync(member.On(first), piece, options, cancellationToken).ConfigureAwait(false);
        }
    }

    ConcatMember MemberOf(long block)
    {
        var present = Members;
        var (low, high) = (0, present.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (present[middle].StartBlock <= block) low = middle;
            else high = middle - 1;
        }

        return present[low];
    }

    IEnumerable<(ConcatMember Member, long First, long Count)> Split(long block, long blockCount)
    {
        for (var end = block + blockCount; block < end;)
        {
            var member = MemberOf(block);
            var count = Math.Min(end, member.EndBlock) - block;
            yield return (member, block, count);
            block += count;
        }
    }

    void CheckWritable()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
        if (Volatile.Read(ref latched) is { } failure) throw failure;
    }

    ValueTask Failed(BlockDeviceException e)
    {
        counters.CountFailure(e);
        return ValueTask.FromException(e);
    }
}
