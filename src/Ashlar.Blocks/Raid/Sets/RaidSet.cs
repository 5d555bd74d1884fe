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
/// <para>With a journal, parts of stripes stay in memory until a flush: a batch of the journal has them, and their parity, durably before
/// anything is written in its place. With a write intent, what is written directly is marked before.</para>
/// </remarks>
sealed partial class RaidSet : IRedundantDevice
{
    const int LockCount = 1024;

    readonly RaidLayout layout;
    readonly RaidMember[] members;
    readonly AsyncLock[] locks = [.. Enumerable.Range(0, LockCount).Select(_ => new AsyncLock())];
    readonly DeviceCounters counters = new();
    readonly Func<RaidMember, ValueTask> memberFailed;
    readonly int chunkBytes;
    readonly Lock healthGate = new();
    Extent extent; // Replaced as a whole.
    int copyTurn;
    int unrecorded;
    bool isDegraded;
    bool isLost;

    /// <summary>Makes one device of several, which it takes over; nothing is kept on them but data.</summary>
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
        : this(
            name,
            layout,
            [.. devices.Select((device, number) => new RaidMember(number, device))],
            chunkBytes,
            devices.Where(device => device is not null).Select(device => device!.Geometry.SizeBytes).DefaultIfEmpty().Min(),
            memberFailed)
    {
    }

    /// <summary>Makes one device of members.</summary>
    /// <param name="name">A name for messages.</param>
    /// <param name="layout">What lies where.</param>
    /// <param name="members">The members, in their order.</param>
    /// <param name="chunkBytes">What lies on one member before the next one's turn comes.</param>
    /// <param name="dataBytes">What of each member is the set's.</param>
    /// <param name="memberFailed">As above.</param>
    public RaidSet(
        string name,
        RaidLayout layout,
        RaidMember[] members,
        int chunkBytes,
        long dataBytes,
        Func<RaidMember, ValueTask>? memberFailed = null)
    {
        if (members.Length != layout.MemberCount)
            throw new ArgumentException($"{members.Length} devices for {layout.MemberCount} members.");
        if (!IsPossibleChunk(chunkBytes)) throw new ArgumentException($"Chunks of {chunkBytes} bytes.");
        (Name, this.layout, this.chunkBytes, this.members) = (name, layout, chunkBytes, members);
        this.memberFailed = memberFailed ?? (_ => ValueTask.CompletedTask);
        NoteHealth();
        CheckSurvival();
        var devices = members.Where(member => member.IsPresent).Select(member => member.Device!).ToList();
        IsReadOnly = devices.Exists(device => device.IsReadOnly);
        var shapes = devices.ConvertAll(device => device.Geometry);
        if (shapes.Select(shape => shape.BlockSizeBytes).Distinct().Count() != 1) throw new ArgumentException("Blocks of different sizes.");
        if (dataBytes < chunkBytes) throw new ArgumentException($"A device is smaller than a chunk of {chunkBytes} bytes.");
        extent = ExtentOf(dataBytes, shapes[0].BlockSizeBytes);
    }

    public string Name { get; }

    public BlockGeometry Geometry => Volatile.Read(ref extent).Geometry;

    public bool IsReadOnly { get; }

    /// <summary>The members, in their order.</summary>
    public IReadOnlyList<RaidMember> Members => members;

    public long StripeCount => Volatile.Read(ref extent).StripeCount;

    /// <summary>Whether a member is missing, or does not hold all yet.</summary>
    public bool IsDegraded => Volatile.Read(ref isDegraded);

    /// <summary>Whether too many are.</summary>
    public bool IsLost => Volatile.Read(ref isLost);

    /// <summary>Says before a direct write where it will be; null where nobody needs to know.</summary>
    public WriteIntent? Intent { get; init; }

    int StripeBytes => chunkBytes * layout.DataPerStripe;

    public static bool IsPossibleChunk(long bytes) => bytes is >= 4096 and <= 1 << 24 && (bytes & (bytes - 1)) == 0;

    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        ValueTask pending;
        try
        {
            Geometry.CheckBuffer(Name, start, destination.Length);
            pending = ReadRangesAsync(start.ToOffsetBytes(Geometry.BlockSizeBytes), destination);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        return counters.CountReadAsync(pending, destination.Length);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(
        Lba start,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckBuffer(Name, start, source.Length);
            CheckWritable();
            await WriteRangesAsync(start.ToOffsetBytes(Geometry.BlockSizeBytes), source).ConfigureAwait(false);
            if ((options & WriteOptions.ForceUnitAccess) != WriteOptions.None) await FlushAllAsync().ConfigureAwait(false);
            if (Volatile.Read(ref unrecorded) > 0) await WaitForRecordsAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(source.Length);
    }

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
            await ZeroRangesAsync(start, blockCount, options & ~ZeroOptions.ForceUnitAccess).ConfigureAwait(false);
            if ((options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None) await FlushAllAsync().ConfigureAwait(false);
            if (Volatile.Read(ref unrecorded) > 0) await WaitForRecordsAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountWrite(blockCount * Geometry.BlockSizeBytes);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            Geometry.CheckRange(Name, start, blockCount);
            CheckWritable();
            await ZeroRangesAsync(start, blockCount, ZeroOptions.None).ConfigureAwait(false);
            if (Volatile.Read(ref unrecorded) > 0) await WaitForRecordsAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountTrim();
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            CheckWritable();
            await FlushAllAsync().ConfigureAwait(false);
            if (Volatile.Read(ref unrecorded) > 0) await WaitForRecordsAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (counters.CountFailure(e))
        {
            throw new UnreachableException();
        }

        counters.CountFlush();
    }

    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return 0;
        extents[0] = new BlockExtent(BlockExtentKind.Data, blockCount);
        return 1;
    }

    /// <summary>Forgets what copies there are above the media of all of which the range is made or calculated.</summary>
    public void DropCached(Lba start, long blockCount)
    {
        Geometry.CheckRange(Name, start, blockCount);
        if (blockCount == 0) return;
        var (first, last) = (StripeOf(start.Value), StripeOf(start.Value + blockCount - 1));
        DropStripes(first, last - first + 1);

        long StripeOf(long block) => block * Geometry.BlockSizeBytes / StripeBytes;
    }

    public DeviceStatistics GetStatistics() => counters.Snapshot();

    /// <summary>Closes all members, also when one of them fails to.</summary>
    public ValueTask DisposeAsync()
    {
        var calls = CallSet.Take();
        foreach (var member in members)
            if (member.Device is { } device) calls.Add(device.DisposeAsync());
        return calls.WhenAllAsync();
    }

    /// <summary>More of each member is the set's: it reads as zeros on all of them, and all know.</summary>
    public void Grow(long dataBytes)
    {
        var present = Volatile.Read(ref extent);
        var next = ExtentOf(dataBytes, present.Geometry.BlockSizeBytes);
        Invariant.Require(next.StripeCount >= present.StripeCount);
        Volatile.Write(ref extent, next);
    }

    ValueTask FlushAllAsync() => CommitAsync();

    /// <summary>Makes durable what all members have; one that does not is not used any more.</summary>
    public ValueTask FlushMembersAsync()
    {
        CheckWritable();
        var calls = CallSet.Take();
        foreach (var member in members)
            if (member.IsPresent) calls.Add(TakeAsync(member, member.FlushAsync()));
        return calls.WhenAllAsync();
    }

    void CheckWritable()
    {
        if (IsReadOnly) throw new DeviceReadOnlyException(Name);
        CheckSurvival();
        if (Volatile.Read(ref flushFailure) is { } failure)
            throw new DeviceIOException(Name, $"a flush failed: {failure.Message}", isTransient: false, failure);
    }

    void DropStripes(long first, long count)
    {
        foreach (var member in members)
        {
            try
            {
                member.DropCached(OffsetOf(first), count * chunkBytes);
            }
            catch (BlockDeviceException)
            {
                // It has just been given up.
            }
        }
    }

    Extent ExtentOf(long dataBytes, int blockBytes)
    {
        var stripes = dataBytes / chunkBytes;
        return new(stripes, BlockGeometry.Create(blockBytes, stripes * layout.DataPerStripe * (chunkBytes / blockBytes)) with
        {
            OptimalTransferBytes = chunkBytes * layout.DataPerStripe,
        });
    }

    // Where a chunk of a stripe begins in the data of its member.
    long OffsetOf(long stripe) => stripe * chunkBytes;

    AsyncLock LockOf(long stripe) => locks[stripe % LockCount];

    sealed record Extent(long StripeCount, BlockGeometry Geometry);
}
