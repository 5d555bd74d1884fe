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
    public bool IsFlushShort => Members.All(member => member.Device is ICachingDevice { IsFlushShort: true });

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

    /// <summary>Makes a set of one device, as it is.</summary>
    /// <param name="first">The device, which the set takes over.</param>
    /// <param name="setId">What the labels of further ones will name: the identity of what lies on the set.</param>
    /// <exception cref="ArgumentException">It is smaller than a unit of 64 KiB.</exception>
    public static ConcatDevice Of(IBlockDevice first, Guid setId)
    {
        ArgumentNullException.ThrowIfNull(first);
        return new(setId, [Place(first, startBlock: 0, skippedBytes: 0)]);
    }

    /// <summary>Puts the devices of a set together, in whatever order they come. If that fails they stay the caller's.</summary>
    /// <param name="first">The one without a label.</param>
    /// <param name="setId">Which set it is.</param>
    /// <param name="others">All others.</param>
    /// <exception cref="UnsupportedFormatException">One has no label, or is of another set, or there twice, or one is missing.</exception>
    /// <exception cref="CorruptDataException">A label is damaged, or a device is shorter than it was.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<ConcatDevice> OpenAsync(IBlockDevice first, Guid setId, IReadOnlyList<IBlockDevice> others)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(others);
        var found = new SortedDictionary<int, (IBlockDevice Device, ConcatLabel Label)>();
        foreach (var device in others)
        {
            var label = await ReadLabelAsync(device).ConfigureAwait(false)
                ?? throw new UnsupportedFormatException(device.Name, "not a device of a set");
            if (label.SetId != setId)
                throw new UnsupportedFormatException(device.Name, $"it belongs to another set: {label.SetId}, not {setId}");
            if (!found.TryAdd(label.Number, (device, label)))
            {
                throw new UnsupportedFormatException(
                    device.Name, $"{found[label.Number].Device.Name} is device {label.Number} of the set, too");
            }
        }

        var members = new List<ConcatMember> { Place(first, startBlock: 0, skippedBytes: 0) };
        foreach (var (number, (device, label)) in found)
        {
            if (number != members.Count)
            {
                throw new UnsupportedFormatException(
                    device.Name, $"it is device {number} of the set, and device {members.Count} is missing");
            }
            members[^1] = Cut(members[^1], label.StartBytes);
            members.Add(Place(device, members[^1].EndBlock, ConcatLabel.ReservedBytes));
        }

        return new(setId, [.. members]);
    }

    /// <summary>The set that a device says that it belongs to; null where it has no label.</summary>
    /// <exception cref="UnsupportedFormatException">The label is of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">Both copies of the label are damaged.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<Guid?> FindSetAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return (await ReadLabelAsync(device).ConfigureAwait(false))?.SetId;
    }

    /// <summary>Length of a further device that is to add so much to a set.</summary>
    public static long DeviceBytesFor(long usableBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(usableBytes, 1);
        var units = ((usableBytes - 1) / ConcatLabel.UnitBytes) + 1;
        return checked((units * ConcatLabel.UnitBytes) + ConcatLabel.ReservedBytes);
    }

    /// <summary>What a further device with so many bytes adds to a set.</summary>
    public static long UsableBytes(long deviceBytes) =>
        Math.Max(0, (deviceBytes - ConcatLabel.ReservedBytes) / ConcatLabel.UnitBytes * ConcatLabel.UnitBytes);

    /// <summary>
    /// Labels a further device, durably, so that it can be added. What was on it is lost. Crash order: a set whose owner does not know of
    /// a device is complete without it, so the label comes first, then the owner remembers the device, and then it is added.
    /// </summary>
    /// <exception cref="ArgumentException">It does not fit the set, or has no room beside the label.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask LabelAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Geometry.BlockSizeBytes != blockSizeBytes)
            throw new ArgumentException($"{device.Name} has blocks of {device.Geometry.BlockSizeBytes} bytes, {Name} of {blockSizeBytes}.");
        if (UsableBytes(device.Geometry.SizeBytes) == 0)
            throw new ArgumentException($"{device.Name} has {device.Geometry.SizeBytes} bytes, which is too small to add.");
        var present = Members;
        if (present.Length == ConcatLabel.MaxDevices) throw new ArgumentException($"{Name} has {present.Length} devices already.");
        var bytes = new byte[ConcatLabel.SizeBytes];
        new ConcatLabel(setId, present.Length, present[^1].EndBlock * blockSizeBytes).Write(bytes);
        for (var copy = 0; copy < ConcatLabel.CopyCount; copy++)
            await device.WriteAsync(LabelLba(device, copy), bytes).ConfigureAwait(false);
        await device.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Adds a device that was labelled for this place; the set takes it over.</summary>
    /// <exception cref="UnsupportedFormatException">It was not.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask AddAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var label = await ReadLabelAsync(device).ConfigureAwait(false);
        await growing.EnterAsync().ConfigureAwait(false);
        try
        {
            var present = Members;
            if (label is null || label.SetId != setId || label.Number != present.Length
                || label.StartBytes != present[^1].EndBlock * blockSizeBytes)
            {
                throw new UnsupportedFormatException(device.Name, $"it is not labelled as device {present.Length} of {Name}");
            }
            if (device is ICachingDevice cache) cache.FlushInterval = flushInterval;
            Volatile.Write(ref members, [.. present, Place(device, present[^1].EndBlock, ConcatLabel.ReservedBytes)]);
        }
        finally
        {
            growing.Exit();
        }
    }

    /// <inheritdoc />
    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        try
        {
            var blocks = Geometry.CheckBuffer(Name, start, destination.Length);
            if (blocks == 0) return ValueTask.CompletedTask;
            var member = MemberOf(start.Value);
            if (start.Value + blocks > member.EndBlock) return ReadPiecesAsync(start.Value, destination, cancellationToken);
            var pending = member.Device.ReadAsync(member.On(start.Value), destination, cancellationToken);
            if (!pending.IsCompletedSuccessfully) return FinishReadAsync(pending, destination.Length);
            counters.CountRead(destination.Length);
            return pending;
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
            if (start.Value + blocks > member.EndBlock) return WritePiecesAsync(start.Value, source, options, cancellationToken);
            var pending = member.Device.WriteAsync(member.On(start.Value), source, options, cancellationToken);
            if (!pending.IsCompletedSuccessfully) return FinishWriteAsync(pending, source.Length);
            counters.CountWrite(source.Length);
            return pending;
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
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadPiecesAsync(long block, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (member, first, count) in Split(block, destination.Length / blockSizeBytes))
            {
                var piece = destination.Slice((int)(first - block) * blockSizeBytes, (int)count * blockSizeBytes);
                await member.Device.ReadAsync(member.On(first), piece, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountRead(destination.Length);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WritePiecesAsync(
        long block, ReadOnlyMemory<byte> source, WriteOptions options, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (member, first, count) in Split(block, source.Length / blockSizeBytes))
            {
                var piece = source.Slice((int)(first - block) * blockSizeBytes, (int)count * blockSizeBytes);
                await member.Device.WriteAsync(member.On(first), piece, options, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(source.Length);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FinishReadAsync(ValueTask pending, int lengthBytes)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountRead(lengthBytes);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FinishWriteAsync(ValueTask pending, int lengthBytes)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(lengthBytes);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<ConcatLabel?> ReadLabelAsync(IBlockDevice device)
    {
        if (device.Geometry.SizeBytes < ConcatLabel.ReservedBytes) return null;
        CorruptDataException? damage = null;
        var bytes = new byte[ConcatLabel.SizeBytes];
        for (var copy = 0; copy < ConcatLabel.CopyCount; copy++)
        {
            try
            {
                await device.ReadAsync(LabelLba(device, copy), bytes).ConfigureAwait(false);
                if (ConcatLabel.HasMagic(bytes)) return ConcatLabel.Read(bytes, device.Name, copy * ConcatLabel.CopyDistanceBytes);
            }
            catch (CorruptDataException e)
            {
                damage ??= e;
            }
        }

        return damage is null ? null : throw damage;
    }

    static Lba LabelLba(IBlockDevice device, int copy) => new(copy * ConcatLabel.CopyDistanceBytes / device.Geometry.BlockSizeBytes);

    static ConcatMember Place(IBlockDevice device, long startBlock, long skippedBytes)
    {
        var blockBytes = device.Geometry.BlockSizeBytes;
        var bytes = (device.Geometry.SizeBytes - skippedBytes) / ConcatLabel.UnitBytes * ConcatLabel.UnitBytes;
        if (bytes <= 0) throw new ArgumentException($"{device.Name} has {device.Geometry.SizeBytes} bytes, too few for a device of a set.");
        return new(device, startBlock, skippedBytes / blockBytes, bytes / blockBytes);
    }

    // Whatever has become longer since: the next one begins where its label says.
    static ConcatMember Cut(ConcatMember member, long endBytes)
    {
        var blocks = (endBytes / member.Device.Geometry.BlockSizeBytes) - member.StartBlock;
        if (blocks <= 0 || blocks > member.BlockCount)
        {
            throw new CorruptDataException(
                member.Device.Name,
                member.Device.Geometry.SizeBytes,
                $"cut off, or not the device that it was: {blocks * member.Device.Geometry.BlockSizeBytes} bytes of the set lie on it");
        }
        return member with { BlockCount = blocks };
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
