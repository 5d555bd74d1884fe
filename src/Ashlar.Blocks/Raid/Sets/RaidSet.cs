using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// A device made of devices. A member that fails a write or a flush is not used any more; as long as the others make up for it nobody else
/// notices.
/// </summary>
/// <remarks>
/// <para>Whoever changes a stripe holds its lock, so that parity and copies always belong to what lies beside them, and overlapping writes
/// reach all copies in one order. Whoever only reads what is there holds none; whoever calculates what is not there, does.</para>
/// <para>A block that cannot be read is calculated, or taken from another copy, and written again. A member fails by what it does not
/// take, not by what it cannot give.</para>
/// </remarks>
sealed partial class RaidSet : IBlockDevice
{
    const int LockCount = 1024;

    readonly RaidLayout layout;
    readonly RaidMember[] members;
    readonly AsyncLock[] locks = [.. Enumerable.Range(0, LockCount).Select(_ => new AsyncLock())];
    readonly DeviceCounters counters = new();
    readonly Func<RaidMember, ValueTask> memberFailed;
    readonly int chunkBytes;
    int copyTurn;

    /// <summary>Makes one device of several, which it takes over.</summary>
    /// <param name="name">A name for messages.</param>
    /// <param name="layout">What lies where.</param>
    /// <param name="devices">The members, in their order; null for one that is missing.</param>
    /// <param name="chunkBytes">What lies on one member before the next one's turn comes; a power of two of at least 4,096.</param>
    /// <param name="memberFailed">
    /// Called when a member is not used any more, before the request that it has missed is acknowledged: remembered is then that what it
    /// holds is old.
    /// </param>
    /// <exception cref="ArgumentException">The members do not fit each other or the layout.</exception>
    /// <exception cref="DeviceIOException">Too many are missing.</exception>
    public RaidSet(
        string name,
        RaidLayout layout,
        IReadOnlyList<IBlockDevice?> devices,
        int chunkBytes,
        Func<RaidMember, ValueTask>? memberFailed = null)
    {
        if (devices.Count != layout.MemberCount) throw new ArgumentException($"{devices.Count} devices for {layout.MemberCount} members.");
        if (chunkBytes < 4096 || (chunkBytes & (chunkBytes - 1)) != 0) throw new ArgumentException($"Chunks of {chunkBytes} bytes.");
        (Name, this.layout, this.chunkBytes) = (name, layout, chunkBytes);
        this.memberFailed = memberFailed ?? (_ => ValueTask.CompletedTask);
        members = [.. devices.Select((device, number) => new RaidMember(number, device))];
        IsReadOnly = devices.Any(device => device is { IsReadOnly: true });
        CheckSurvival();
        var shapes = devices.Where(device => device is not null).Select(device => device!.Geometry).ToList();
        if (shapes.Select(shape => shape.BlockSizeBytes).Distinct().Count() != 1) throw new ArgumentException("Blocks of different sizes.");
        var stripes = shapes.Min(shape => shape.SizeBytes) / chunkBytes;
        if (stripes == 0) throw new ArgumentException($"A device is smaller than a chunk of {chunkBytes} bytes.");
        var blockBytes = shapes[0].BlockSizeBytes;
        Geometry = BlockGeometry.Create(blockBytes, stripes * layout.DataPerStripe * (chunkBytes / blockBytes)) with
        {
            OptimalTransferBytes = chunkBytes * layout.DataPerStripe,
        };
    }

    public string Name { get; }

    public BlockGeometry Geometry { get; }

    public bool IsReadOnly { get; }

    /// <summary>The members, in their order.</summary>
    public IReadOnlyList<RaidMember> Members => members;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) => CountAsync(
        () =>
        {
            Geometry.CheckBuffer(Name, start, destination.Length);
            return ReadRangesAsync(start.ToOffsetBytes(Geometry.BlockSizeBytes), destination);
        },
        () => counters.CountRead(destination.Length),
        cancellationToken);

    public ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default) => CountAsync(
        async () =>
        {
            Geometry.CheckBuffer(Name, start, source.Length);
            CheckWritable();
            await WriteRangesAsync(start.ToOffsetBytes(Geometry.BlockSizeBytes), source).ConfigureAwait(false);
            if ((options & WriteOptions.ForceUnitAccess) != WriteOptions.None) await FlushMembersAsync().ConfigureAwait(false);
        },
        () => counters.CountWrite(source.Length),
        cancellationToken);

    public ValueTask WriteZeroesAsync(
        Lba start,
        long blockCount,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default) => CountAsync(
        async () =>
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            await ZeroRangesAsync(start, blockCount, options & ~ZeroOptions.ForceUnitAccess).ConfigureAwait(false);
            if ((options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None) await FlushMembersAsync().ConfigureAwait(false);
        },
        () => counters.CountWrite(blockCount * Geometry.BlockSizeBytes),
        cancellationToken);

    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => CountAsync(
        () =>
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            return ZeroRangesAsync(start, blockCount, ZeroOptions.None);
        },
        counters.CountTrim,
        cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        CountAsync(FlushMembersAsync, counters.CountFlush, cancellationToken);

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        extents[0] = new BlockExtent(BlockExtentKind.Data, blockCount);
        return 1;
    }

    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Closes all members, also when one of them fails to.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        var calls = new CallSet();
        foreach (var member in members)
            if (member.Device is { } device) calls.Add(device.DisposeAsync());
        await calls.WhenAllAsync().ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CountAsync(Func<ValueTask> request, Action count, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await request().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        count();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FlushMembersAsync()
    {
        CheckWritable();
        await OnMembersAsync(members.Where(member => member.IsUsable), member => member.Device!.FlushAsync()).ConfigureAwait(false);
    }

    // Something that every one of some members has to take. One that does not is not used any more.
    ValueTask OnMembersAsync(IEnumerable<RaidMember> chosen, Func<RaidMember, ValueTask> call)
    {
        var calls = new CallSet();
        foreach (var member in chosen) calls.Add(TakeAsync(member, call));
        return calls.WhenAllAsync();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TakeAsync(RaidMember member, Func<RaidMember, ValueTask> call)
    {
        try
        {
            await call(member).ConfigureAwait(false);
        }
        catch (BlockDeviceException missed) when (layout.Copies > 1 || layout.ParityPerStripe > 0)
        {
            if (member.TryFail(missed)) await memberFailed(member).ConfigureAwait(false);
            CheckSurvival();
        }
    }

    void CheckWritable()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
        CheckSurvival();
    }

    void CheckSurvival()
    {
        HashSet<int>? lost = null;
        foreach (var member in members)
            if (!member.IsUsable) (lost ??= []).Add(member.Number);
        if (lost is not null && !layout.Survives(lost)) throw Lost();
    }

    DeviceIOException Lost(Exception? cause = null)
    {
        var gone = members.Where(member => !member.IsUsable).ToList();
        var names = string.Join(", ", gone.Select(member => member.Device?.Name ?? $"member {member.Number}"));
        cause ??= gone.Select(member => member.Failure).FirstOrDefault(failure => failure is not null);
        return new DeviceIOException(
            Name,
            gone.Count > 0
                ? $"RAID-{(int)layout.Level} of {members.Length} devices cannot do without {names}"
                : $"too many devices cannot read the same stripe: {cause?.Message}",
            isTransient: false,
            cause);
    }

    // Where a chunk of a stripe begins on its member.
    long OffsetOf(long stripe) => stripe * chunkBytes;

    AsyncLock LockOf(long stripe) => locks[stripe % LockCount];
}
