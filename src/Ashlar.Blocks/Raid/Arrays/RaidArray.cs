using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// A RAID set that remembers on its members what it is: it survives restarts, crashes, and members that come and go. As a device it is like
/// any other.
/// </summary>
/// <remarks>
/// <para>Crash order: that a member is missing is on all others, durably, before the first request is acknowledged that it has missed. A
/// generation is raised for it in two steps: an odd one is proposed to all, and when all have it the next even one follows.
/// Nothing is written under an odd one, so that members that have not heard of it have missed nothing.</para>
/// <para>One lock, <c>turn</c>, is held by whoever writes superblocks and maps. It is the innermost: under it nobody waits for a
/// stripe, and a member that fails under it is recorded there and then.</para>
/// </remarks>
public sealed partial class RaidArray : IRedundantDevice, ICachingDevice
{
    readonly RaidOptions options;
    readonly RaidLayout layout;
    readonly AsyncLock turn = new();
    readonly Place[] places;
    readonly List<Place> spares = [];
    readonly List<IBlockDevice> ignored;
    readonly List<Place> retired = [];
    readonly RegionMap? missed;
    readonly WriteIntent? intent;
    readonly RaidSet set;
    MemberSuperblock current;
    TimeSpan flushInterval;
    long settledGeneration;
    bool isDisposed;

    RaidArray(ArrayAssembly assembly, RegionMap? writing, RegionMap? missed, long lastBatch, RaidOptions options)
    {
        this.options = options;
        this.missed = missed;
        current = assembly.Newest;
        settledGeneration = current.Generation;
        layout = new RaidLayout(current.Level, current.Entries.Count);
        ignored = assembly.Ignored;
        places = new Place[layout.MemberCount];
        spares.AddRange(assembly.Spares.Select(spare => new Place(spare.Id, spare.Device, spare.Pair) { Replaces = spare.Replaces }));
        foreach (var (number, (device, pair)) in assembly.Placed) places[number] = new Place(current.Entries[number].Id, device, pair);
        for (var number = 0; number < places.Length; number++) places[number] ??= new Place(current.Entries[number].Id, null, null);
        if (writing is not null && missed is not null)
        {
            var regionStripes = current.RegionBytes / current.ChunkBytes;
            intent = new WriteIntent(writing, missed, regionStripes, () => set!.IsDegraded, PersistRegionsAsync);
        }

        var members = places.Select((place, number) => NewMember(number, place, current.Entries[number])).ToArray();
        set = layout.ParityPerStripe == 0
            ? new(Name, layout, members, current.ChunkBytes, current.Areas.DataBytes, RecordFailureAsync) { Intent = intent }
            : new(Name, layout, members, current.ChunkBytes, current.Areas.DataBytes, RecordFailureAsync)
            {
                Intent = intent,
                Journal = new JournalPlace(current.Areas, current.SetId, EpochAfter(current), lastBatch),
            };
    }

    /// <inheritdoc />
    public string Name => options.Name;

    /// <inheritdoc />
    public BlockGeometry Geometry => set.Geometry;

    /// <inheritdoc />
    public bool IsReadOnly => set.IsReadOnly;

    /// <summary>The set's id.</summary>
    public Guid Id => current.SetId;

    /// <summary>How the devices are made one.</summary>
    public RaidLevel Level => current.Level;

    /// <summary>What lies on one member before the next one's turn comes.</summary>
    public int ChunkBytes => current.ChunkBytes;

    /// <summary>
    /// Raised when members come or go: one that says less has missed it. What was said once is known to all that are left, so that a set
    /// of which it is known can be kept from being started without them (<see cref="RaidOptions.LeastGeneration"/>).
    /// </summary>
    public long Generation => ArrayAssembly.SettledAt(Volatile.Read(ref settledGeneration));

    /// <summary>When the set was created.</summary>
    public DateTimeOffset CreatedAt => current.CreatedAt;

    /// <inheritdoc />
    public int CopyCount => set.CopyCount;

    /// <summary>How the set is as a whole.</summary>
    public RaidArrayState State
    {
        get
        {
            if (set.IsLost) return RaidArrayState.Failed;
            if (!set.IsDegraded) return RaidArrayState.Healthy;
            return set.Members.Any(member => member.IsPresent && !member.IsUsable) ? RaidArrayState.Rebuilding : RaidArrayState.Degraded;
        }
    }

    /// <summary>All places in their order, and the spares.</summary>
    public IReadOnlyList<RaidMemberStatus> Members
    {
        get
        {
            List<RaidMemberStatus> members = [];
            var now = Volatile.Read(ref current);
            for (var number = 0; number < places.Length; number++) members.Add(StatusOf(number, now));
            lock (spares)
            {
                members.AddRange(spares.Select(spare => new RaidMemberStatus(
                    null, spare.Id, spare.Device!.Name, MemberState.Spare, 0, now.Areas.DataBytes, null, null)));
            }

            return members;
        }
    }

    /// <inheritdoc />
    public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        NoteForeground();
        return set.ReadAsync(start, destination, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask WriteAsync(
        Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
    {
        NoteForeground();
        return set.WriteAsync(start, source, options, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask WriteZeroesAsync(
        Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
    {
        NoteForeground();
        return set.WriteZeroesAsync(start, blockCount, options, cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) =>
        set.TrimAsync(start, blockCount, cancellationToken);

    /// <inheritdoc />
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => set.FlushAsync(cancellationToken);

    /// <inheritdoc />
    public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => set.DescribeExtents(start, blockCount, extents);

    /// <inheritdoc />
    public void DropCached(Lba start, long blockCount) => set.DropCached(start, blockCount);

    /// <inheritdoc />
    public TimeSpan FlushInterval
    {
        get => flushInterval;
        set
        {
            flushInterval = value;
            foreach (var place in places) if (place.Device is ICachingDevice device) device.FlushInterval = value;
        }
    }

    /// <inheritdoc />
    /// <remarks>Never: it waits for all members, and may write a batch of the journal before.</remarks>
    public bool IsFlushShort => false;

    /// <inheritdoc />
    public DeviceStatistics GetStatistics() => set.GetStatistics();

    /// <inheritdoc />
    public ValueTask<bool> ReadCopyAsync(Lba start, Memory<byte> destination, int copy, CancellationToken cancellationToken = default) =>
        set.ReadCopyAsync(start, destination, copy, cancellationToken);

    /// <inheritdoc />
    public ValueTask RewriteAsync(Lba start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        set.RewriteAsync(start, source, cancellationToken);

    /// <summary>
    /// Puts everything in its place, says on the members that it is, and closes them. If that fails, or too many members are missing, they
    /// are closed as they are: the next start does what it does after a crash.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await StopBackgroundAsync().ConfigureAwait(false);
        try
        {
            if (!IsReadOnly && !set.IsLost) await SettleAsync().ConfigureAwait(false);
        }
        finally
        {
            await CloseDevicesAsync().ConfigureAwait(false);
        }
    }

    // The maps are cleared while the set still counts as open: what was not said by then would be looked at once more, no less.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask SettleAsync()
    {
        await set.SettleAsync().ConfigureAwait(false);
        if (intent is not null)
        {
            intent.ForgetWriting();
            await PersistRegionsAsync().ConfigureAwait(false);
        }

        await TransitionAsync(static (_, now) => now with { IsDirty = false, JournalEpoch = EpochAfter(now) }).ConfigureAwait(false);
        await TellSparesAsync().ConfigureAwait(false);
    }

    // That nobody has the set open any more. One that does not take it harms nobody.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TellSparesAsync()
    {
        List<Place> told;
        lock (spares) told = [.. spares];
        lock (replacements) told.AddRange(replacements.Select(each => each.Device));
        foreach (var spare in told)
        {
            try
            {
                await spare.Pair!.WriteAsync(SaysOf(spare)).ConfigureAwait(false);
            }
            catch (BlockDeviceException e)
            {
                var message = $"the spare {spare.Device!.Name} was not told that the set is closed: {e.Message}";
                Report(RaidEventKind.DeviceIgnored, message, null, e);
            }
        }
    }

    ValueTask CloseDevicesAsync()
    {
        var calls = CallSet.Take();
        foreach (var device in places.Concat(spares).Concat(retired).Select(place => place.Device).Concat(ignored))
            if (device is not null) calls.Add(device.DisposeAsync());
        return calls.WhenAllAsync();
    }

    RaidMember NewMember(int number, Place place, MemberEntry entry)
    {
        var member = new RaidMember(number, place.Device, current.Areas.DataAt, KeepsSpace(place.Device), place.Use);
        if (entry.State != MemberState.Rebuilding || place.Device is null) return member;
        Func<long, bool>? wanted = null;
        if (entry.IsByRegions)
        {
            var marked = missed!.Marked.ToHashSet();
            var regionStripes = current.RegionBytes / current.ChunkBytes;
            wanted = stripe => marked.Contains((int)(stripe / regionStripes));
        }

        member.BeginRebuild(entry.RebuiltBytes / current.ChunkBytes, wanted);
        return member;
    }

    // A block device has its space, and is told what is not needed of it.
    bool KeepsSpace(IBlockDevice? device)
    {
        try
        {
            return options.KeepsSpace && device is IReservableDevice { FreeSpaceBelowBytes: not null };
        }
        catch (StorageException)
        {
            return true;
        }
    }

    RaidMemberStatus StatusOf(int number, MemberSuperblock now)
    {
        var (place, member) = (places[number], set.Members[number]);
        var state = !member.IsPresent ? MemberState.Missing : member.IsUsable ? MemberState.InSync : MemberState.Rebuilding;
        var rebuilt = state switch
        {
            MemberState.InSync => now.Areas.DataBytes,
            MemberState.Rebuilding => (Math.Min(member.RebuiltStripes, set.StripeCount) - member.Skipped.Count) * now.ChunkBytes,
            _ => 0,
        };
        return new RaidMemberStatus(
            number,
            place.Id,
            place.Device?.Name,
            state,
            rebuilt,
            now.Areas.DataBytes,
            state == MemberState.Rebuilding && member.RebuiltStripes < set.StripeCount ? TimeLeft(now.Areas.DataBytes - rebuilt) : null,
            member.Failure?.Message ?? member.Skipped.Problem)
        {
            IsSettled = now.Entries[number].Id == place.Id,
            Replacement = ReplacementOf(member, now),
        };
    }

    RaidReplacement? ReplacementOf(RaidMember member, MemberSuperblock now)
    {
        if (member.Twin is not { } twin) return null;
        Guid id;
        lock (replacements) id = replacements.Find(each => each.Member == member).Device?.Id ?? Guid.Empty;
        var copied = (twin.CopiedStripes - twin.Skipped.Count) * now.ChunkBytes;
        var isCopying = copied > 0 && twin.CopiedStripes < set.StripeCount;
        return new RaidReplacement(id, twin.Device.Name, copied, isCopying ? TimeLeft(now.Areas.DataBytes - copied) : null)
        {
            Failure = twin.Failure?.Message ?? twin.Skipped.Problem,
        };
    }

    void Report(RaidEventKind kind, string message, int? place = null, Exception? cause = null) =>
        options.Events?.Invoke(new RaidEvent(kind, $"{Name}: {message}", place, cause));

    /// <summary>A device and its superblocks.</summary>
    sealed record Place(Guid Id, IBlockDevice? Device, SuperblockPair? Pair)
    {
        /// <summary>The member that it was, or is, to have the place of; null for none.</summary>
        public Guid? Replaces { get; init; }

        /// <summary>Who is at work on it.</summary>
        public DeviceUse Use { get; } = new();
    }
}
