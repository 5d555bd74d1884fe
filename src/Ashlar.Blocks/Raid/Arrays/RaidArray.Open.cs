using System.Runtime.CompilerServices;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

public sealed partial class RaidArray
{
    // Zeroed at a time.
    const long ZeroStepBytes = 1L << 30;

    /// <summary>
    /// Makes a set of devices, which it takes over: all but the spares become members, in their order. They are zeroed, so that copies and
    /// parity are right from the beginning, unless they are said to be.
    /// </summary>
    /// <exception cref="RaidRefusedException">A device is in use, was given twice, or does not fit the others.</exception>
    /// <exception cref="ArgumentException">A level, a number of devices or a chunk that is not possible.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<RaidArray> CreateAsync(IReadOnlyList<IBlockDevice> devices, RaidCreateOptions options)
    {
        ArgumentNullException.ThrowIfNull(devices);
        ArgumentNullException.ThrowIfNull(options);
        if (!RaidSet.IsPossibleChunk(options.ChunkBytes)) throw new ArgumentException($"Chunks of {options.ChunkBytes} bytes.");
        ArgumentOutOfRangeException.ThrowIfNegative(options.SpareCount);
        var layout = new RaidLayout(options.Level, devices.Count - options.SpareCount);
        ArrayAssembly.RequireDifferent(options.Name, devices);
        foreach (var device in devices) await CheckUnusedAsync(options, device).ConfigureAwait(false);
        var smallest = devices.MinBy(device => device.Geometry.SizeBytes)!;
        if (devices.FirstOrDefault(device => device.Geometry.BlockSizeBytes != smallest.Geometry.BlockSizeBytes) is { } other)
        {
            throw new RaidRefusedException(
                options.Name,
                RaidRefusal.Unfit,
                $"{other.Name} has blocks of {other.Geometry.BlockSizeBytes} bytes, and {smallest.Name} of "
                + $"{smallest.Geometry.BlockSizeBytes}");
        }

        var areas = MemberAreas.For(layout, options.ChunkBytes, smallest);
        var setId = options.SetId ?? options.Entropy.NextGuid();
        var entries = devices.Take(layout.MemberCount)
            .Select(_ => new MemberEntry(options.Entropy.NextGuid(), MemberState.InSync)).ToArray();
        var first = new MemberSuperblock
        {
            SetId = setId,
            MemberId = default,
            Place = 0,
            Level = options.Level,
            ChunkBytes = options.ChunkBytes,
            BlockSizeBytes = smallest.Geometry.BlockSizeBytes,
            Areas = areas,
            RegionBytes = RegionMap.RegionBytesFor(areas.DataBytes, options.ChunkBytes, options.RegionBytes),
            Generation = 2,
            CreatedAt = options.TimeProvider.GetUtcNow(),
            Entries = entries,
        };
        foreach (var device in devices)
            await PrepareAsync(device, areas, setId, options.AreZeroed, options.KeepsSpace).ConfigureAwait(false);
        // The spares first: whoever has a member has heard of all.
        for (var number = devices.Count - 1; number >= 0; number--)
        {
            var isMember = number < layout.MemberCount;
            await new SuperblockPair(devices[number]).WriteAsync(first with
            {
                MemberId = isMember ? entries[number].Id : options.Entropy.NextGuid(),
                Place = isMember ? number : MemberSuperblock.SparePlace,
            }).ConfigureAwait(false);
        }

        return await OpenAsync(devices, options).ConfigureAwait(false);
    }

    /// <summary>
    /// Starts a set from its members, which it takes over, in whatever order. After a crash what was flushed is put in its place, and what
    /// was being written is made consistent, before the call returns. If it fails the devices are still the caller's to close.
    /// </summary>
    /// <exception cref="RaidRefusedException">The devices do not make a set that can be started.</exception>
    /// <exception cref="CorruptDataException">What the members say of themselves is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">A member is of a version that this program cannot read.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<RaidArray> OpenAsync(IReadOnlyList<IBlockDevice> devices, RaidOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(devices);
        options ??= new RaidOptions();
        var assembly = await ArrayAssembly.AssembleAsync(devices, options).ConfigureAwait(false);
        var newest = assembly.Newest;
        // Before anything is written.
        if (newest.Generation < options.LeastGeneration && !options.IsForced)
        {
            throw new RaidRefusedException(
                options.Name,
                RaidRefusal.LeftBehind,
                $"the devices are at generation {newest.Generation} of the set, which has come to {options.LeastGeneration}: others went "
                + "on without them, and hold what was written since then");
        }

        if (newest is { IsDirty: true, Host: { } holder } && options.Host is { } host && holder.Id != host.Id && !options.IsTakenOver)
        {
            throw new RaidRefusedException(
                options.Name,
                RaidRefusal.InUseElsewhere,
                $"the set is in use by {holder.Name} ({holder.Id}), and was not closed there. Export it there; if that machine is gone for "
                + "certain, import it by force");
        }

        var layout = new RaidLayout(newest.Level, newest.Entries.Count);
        var inSync = assembly.Placed.Where(placed => newest.Entries[placed.Key].State == MemberState.InSync).ToList();
        var lost = Enumerable.Range(0, layout.MemberCount).Except(inSync.Select(placed => placed.Key)).ToHashSet();
        if (!layout.Survives(lost))
        {
            throw new RaidRefusedException(
                options.Name,
                RaidRefusal.TooFewMembers,
                $"RAID-{(int)newest.Level} of {layout.MemberCount} devices cannot do without members "
                + $"{string.Join(", ", lost.Order())} at once, last seen as "
                + string.Join(", ", lost.Order().Select(number => newest.Entries[number].Id)));
        }

        var members = inSync.ConvertAll(placed => new RaidMember(placed.Key, placed.Value.Device, newest.Areas.DataAt));
        var (writing, missed) = await ReadRegionsAsync(members, newest).ConfigureAwait(false);
        var isUnclean = writing is { Marked.Count: > 0 } && layout.ParityPerStripe > 0 && lost.Count > 0;
        if (isUnclean && !options.IsForced)
        {
            throw new RaidRefusedException(
                options.Name,
                RaidRefusal.UncleanAndDegraded,
                $"whole stripes were being written when the set was last used, in {writing!.Marked.Count} regions of {newest.RegionBytes} "
                + $"bytes, and members {string.Join(", ", lost.Order())} are missing: what these held there cannot be calculated for sure");
        }

        var reader = new JournalReader(newest, layout);
        if (layout.ParityPerStripe > 0)
            foreach (var member in members) await reader.ReadAsync(member).ConfigureAwait(false);
        var array = new RaidArray(assembly, writing, missed, reader.LastSequence, options);
        await array.RecoverAsync(reader, assembly).ConfigureAwait(false);
        return array;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<(RegionMap? Writing, RegionMap? Missed)> ReadRegionsAsync(List<RaidMember> members, MemberSuperblock newest)
    {
        if (newest.Level == RaidLevel.Raid0) return (null, null);
        var regions = RegionMap.CountOf(newest.Areas.DataBytes, newest.RegionBytes);
        RegionMap[] maps = [new(newest.SetId, regions), new(newest.SetId, regions)];
        var content = new byte[(RegionMap.PageOf(regions - 1) + 1) * RegionMap.PageBytes];
        foreach (var member in members)
        {
            for (var map = 0; map < maps.Length; map++)
            {
                try
                {
                    await member.ReadAreaAsync(MemberAreas.RegionMapAt(map), content).ConfigureAwait(false);
                }
                catch (BlockDeviceException)
                {
                    content.AsSpan().Clear(); // No sector is sound: all regions count as marked.
                }

                maps[map].Add(content);
            }
        }

        return (maps[0], maps[1]);
    }

    static async ValueTask CheckUnusedAsync(RaidOptions options, IBlockDevice device)
    {
        if (options.IsForced || await DeviceSignatures.FindAsync(device).ConfigureAwait(false) is not { } content) return;
        throw new RaidRefusedException(options.Name, RaidRefusal.InUse, $"{device.Name} holds {content}");
    }

    // What it held is gone before it says that it is a member. The maps are whole, the journal empty.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    static async ValueTask PrepareAsync(IBlockDevice device, MemberAreas areas, Guid setId, bool isZeroed, bool keepsSpace)
    {
        var block = device.Geometry.BlockSizeBytes;
        await DeviceSignatures.EraseAsync(device).ConfigureAwait(false);
        await ZeroAsync(device, 0, areas.DataAt).ConfigureAwait(false);
        if (!isZeroed) await ZeroAsync(device, areas.DataAt, areas.DataBytes).ConfigureAwait(false);
        if (keepsSpace) await ReserveAsync(device, areas.DataAt + areas.DataBytes).ConfigureAwait(false);
        var empty = new RegionMap(setId, 1);
        var page = new byte[RegionMap.PageBytes];
        for (var map = 0; map < 2; map++)
        {
            for (var number = 0; number < RegionMap.PageCount; number++)
            {
                empty.WritePage(number, page);
                var at = MemberAreas.RegionMapAt(map) + (number * RegionMap.PageBytes);
                await device.WriteAsync(new Lba(at / block), page).ConfigureAwait(false);
            }
        }

        await device.FlushAsync().ConfigureAwait(false);
    }

    static async ValueTask ZeroAsync(IBlockDevice device, long at, long length)
    {
        var block = device.Geometry.BlockSizeBytes;
        for (var done = 0L; done < length; done += ZeroStepBytes)
        {
            var count = Math.Min(ZeroStepBytes, length - done);
            await device.WriteZeroesAsync(new Lba((at + done) / block), count / block).ConfigureAwait(false);
        }
    }

    // After it was zeroed, which gives space back where that is faster.
    static async ValueTask ReserveAsync(IBlockDevice device, long length)
    {
        try
        {
            if (device is IReservableDevice file)
                await file.ReserveAsync(Lba.Zero, length / device.Geometry.BlockSizeBytes).ConfigureAwait(false);
        }
        catch (NotSupportedException)
        {
            // Where no space can be had beforehand it is had as it is written.
        }
    }

    // What was read may be nowhere but in a cache of the system, of a process that died before its flush, or whose flush failed. All that
    // recovery relies on is written once more before it changes anything; what it compares is read from the medium. So all members
    // also have the newest generation before the next one is proposed.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask HardenAsync(JournalReader reader)
    {
        foreach (var (sequence, content) in reader.Batches)
            await set.WriteAreaAsync(current.Areas.JournalSlotAt(sequence), content).ConfigureAwait(false);
        intent?.TakeAllForStale();
        await PersistRegionsAsync().ConfigureAwait(false);
        await UpdateAsync(static now => now).ConfigureAwait(false);
        if (intent is null) return;
        foreach (var region in intent.Writing())
        {
            foreach (var member in set.Members)
            {
                var first = region * current.RegionBytes;
                member.DropCached(first, Math.Min(current.RegionBytes, current.Areas.DataBytes - first));
            }
        }
    }

    // Crash order: what is replayed and made consistent is flushed before the journal's epoch changes and the marks go, so that a crash on
    // the way does all of it again. What missing members miss of it is marked before they are recorded as missing.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RecoverAsync(JournalReader reader, ArrayAssembly assembly)
    {
        if (IsReadOnly)
        {
            if (!current.IsDirty) return;
            throw new RaidRefusedException(
                Name, RaidRefusal.WrongState, "the set was not closed, and read-only devices cannot be made consistent");
        }

        if (current.MissedSince == 0) intent?.ForgetMissed();
        await HardenAsync(reader).ConfigureAwait(false);
        var (replayed, resynced, mended) = (0L, 0L, 0L);
        foreach (var record in reader.Records(Name, set.StripeCount))
        {
            if (set.IsDegraded) intent!.Miss(record.Stripe);
            await set.ReplayAsync(record).ConfigureAwait(false);
            replayed++;
        }

        if (intent is not null)
        {
            foreach (var region in intent.Writing())
            {
                var first = region * intent.RegionStripes;
                for (var stripe = first; stripe < Math.Min(set.StripeCount, first + intent.RegionStripes); stripe++, resynced++)
                    if (await set.ResyncStripeAsync(stripe).ConfigureAwait(false)) mended++;
            }

            if (set.IsDegraded) intent.MissUnflushed();
            if (replayed + resynced > 0) await set.FlushAsync().ConfigureAwait(false);
            await PersistRegionsAsync().ConfigureAwait(false);
        }

        await TransitionAsync(static (array, now) => now with
        {
            IsDirty = true,
            JournalEpoch = EpochAfter(now),
            Host = array.options.Host ?? now.Host,
        }).ConfigureAwait(false);
        if (intent is not null)
        {
            intent.ForgetWriting();
            await PersistRegionsAsync().ConfigureAwait(false);
        }

        for (var number = 0; number < places.Length; number++)
        {
            if (set.Members[number].IsPresent) continue;
            Report(RaidEventKind.MemberMissing, $"member {number}, {places[number].Id}, is missing", number);
        }

        if (replayed + resynced > 0)
        {
            Report(
                RaidEventKind.Recovered,
                $"the set was not closed: {replayed} stripes were written again from the journal, {resynced} looked at, "
                + $"{mended} of these made consistent");
        }

        await TakeBackAsync(assembly.Returned).ConfigureAwait(false);
        TakeUpReplacements(); // Before anybody asks what becomes of a member.
        WakeBackground();
    }
}
