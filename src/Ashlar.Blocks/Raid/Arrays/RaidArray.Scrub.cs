using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

public sealed partial class RaidArray
{
    const int MostUncertain = 4096;

    static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(200);

    RaidScrubStatus scrub = new(false, 0, 0, 0, 0, 0, 0, null);
    WantedScrub? wantedScrub;
    readonly List<long> uncertain = []; // Guarded as the background is.
    long scrubRuns;

    /// <summary>The scrub that runs, or the last one since the set was opened.</summary>
    public RaidScrubStatus Scrub => Volatile.Read(ref scrub);

    /// <summary>
    /// What of the set the last scrub could not tell about, as far as it is remembered: as a rule there is nothing, or very little.
    /// </summary>
    public IReadOnlyList<(Lba Start, long BlockCount)> Uncertain
    {
        get
        {
            var chunkBlocks = current.ChunkBytes / current.BlockSizeBytes;
            lock (backgroundGate)
            {
                return
                [
                    .. uncertain.Select(stripe => (
                        new Lba(layout.ChunkOf(stripe, 0) * chunkBlocks), (long)layout.DataPerStripe * chunkBlocks)),
                ];
            }
        }
    }

    /// <summary>Looks at these once more, and mends what somebody can tell about: that counts as repaired by that scrub.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask LookAgainAsync(IChecksumOracle oracle)
    {
        ArgumentNullException.ThrowIfNull(oracle);
        List<long> stripes;
        var run = Scrub.Run;
        lock (backgroundGate) stripes = [.. uncertain];
        foreach (var stripe in stripes)
        {
            if (ShouldStop) return;
            var found = await set.ScrubStripeAsync(stripe, isRepairing: true, options.Allocated, oracle).ConfigureAwait(false);
            lock (backgroundGate)
            {
                var now = Scrub;
                if (now.Run != run) return;
                if (found.IsUncertain || !uncertain.Remove(stripe)) continue;
                Volatile.Write(ref scrub, now with { Uncertain = now.Uncertain - 1, Repaired = now.Repaired + 1 });
            }

            if (found.IsInconsistent) ReportFinding(stripe, found);
        }

        if (stripes.Count > 0 && !IsReadOnly) await set.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Looks in the background whether all stripes can be read and are consistent. Goes on where the last scrub was stopped, also before a
    /// restart; from the beginning if that ended.
    /// </summary>
    /// <param name="isRepairing">Whether what is wrong is made right.</param>
    /// <param name="oracle">Who knows what blocks should hold, for where parity cannot tell; or null.</param>
    /// <param name="pace">
    /// Told how many bytes were read, says how long nothing more is to be; asked again then, with none, until it says that it goes on.
    /// </param>
    /// <returns>By which its status is known.</returns>
    public long StartScrub(bool isRepairing = true, IChecksumOracle? oracle = null, Func<long, TimeSpan>? pace = null)
    {
        if (layout is { Copies: 1, ParityPerStripe: 0 })
            throw new RaidRefusedException(Name, RaidRefusal.WrongState, "a set without redundancy has nothing to compare");
        long run;
        lock (backgroundGate) wantedScrub = new(run = ++scrubRuns, isRepairing, oracle, pace);
        WakeBackground();
        return run;
    }

    /// <summary>Stops the scrub; the next one goes on from there.</summary>
    public void StopScrub()
    {
        lock (backgroundGate) wantedScrub = null;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ScrubAsync()
    {
        WantedScrub wanted;
        lock (backgroundGate)
        {
            if (wantedScrub is not { } scrubWanted) return;
            wanted = scrubWanted;
        }

        if (set.IsLost)
        {
            EndScrub("too many members have failed");
            return;
        }

        bytesPerSecond = 0;
        if (Scrub.Run != wanted.Run) lock (backgroundGate) uncertain.Clear();
        // One that a rebuild interrupted goes on with what it has found.
        var now = Scrub.Run == wanted.Run
            ? Scrub with { IsRunning = true, DoneBytes = current.ScrubbedBytes }
            : new RaidScrubStatus(true, current.ScrubbedBytes, current.Areas.DataBytes, 0, 0, 0, 0, null) { Run = wanted.Run };
        Volatile.Write(ref scrub, now);
        try
        {
            await ScrubAsync(wanted, now).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BlockDeviceException or CorruptDataException)
        {
            lock (backgroundGate) if (wantedScrub?.Run == wanted.Run) EndScrub(e.Message);
            throw;
        }
    }

    // Whoever waits for it learns that it does not come to its end. Nothing happens where none is wanted.
    void EndScrub(string failure)
    {
        lock (backgroundGate)
        {
            if (wantedScrub is not { } wanted) return;
            wantedScrub = null;
            var now = Scrub.Run == wanted.Run ? Scrub
                : new RaidScrubStatus(false, 0, current.Areas.DataBytes, 0, 0, 0, 0, null) { Run = wanted.Run };
            Volatile.Write(ref scrub, now with { IsRunning = false, Failure = failure, TimeLeft = null });
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ScrubAsync(WantedScrub wanted, RaidScrubStatus now)
    {
        var stepStripes = Math.Max(1, options.RebuildStepBytes / current.ChunkBytes);
        for (var stripe = current.ScrubbedBytes / current.ChunkBytes; stripe < set.StripeCount; stripe++)
        {
            if (ShouldStop || !IsScrubWanted(wanted.Run) || Volatile.Read(ref isBackgroundWanted))
            {
                // A member that has to be rebuilt comes first; the scrub goes on then.
                if (!set.IsLost && !IsReadOnly) await RememberScrubAsync(stripe).ConfigureAwait(false);
                Volatile.Write(ref scrub, now with { IsRunning = false });
                if (set.IsLost) EndScrub("too many members have failed");
                return;
            }

            var startedAt = options.TimeProvider.GetTimestamp();
            var found = await set.ScrubStripeAsync(stripe, wanted.IsRepairing, options.Allocated, wanted.Oracle).ConfigureAwait(false);
            now = now with
            {
                DoneBytes = (stripe + 1) * current.ChunkBytes,
                Inconsistent = now.Inconsistent + (found.IsInconsistent ? 1 : 0),
                Unreadable = now.Unreadable + found.Unreadable,
                Repaired = now.Repaired + (found.IsRepaired ? 1 : 0),
                Uncertain = now.Uncertain + (found.IsUncertain ? 1 : 0),
                TimeLeft = TimeLeft(current.Areas.DataBytes - ((stripe + 1) * current.ChunkBytes)),
            };
            Volatile.Write(ref scrub, now);
            if (found.IsInconsistent || found.Unreadable > 0) ReportFinding(stripe, found);
            if (found.IsUncertain) lock (backgroundGate) if (uncertain.Count < MostUncertain) uncertain.Add(stripe);
            if ((stripe + 1) % stepStripes == 0) await RememberScrubAsync(stripe + 1).ConfigureAwait(false);
            if (found.IsFree) continue;
            await PaceAsync(current.ChunkBytes, startedAt).ConfigureAwait(false);
            await WaitForTurnAsync(wanted, (long)current.ChunkBytes * layout.MemberCount).ConfigureAwait(false);
        }

        lock (backgroundGate) if (wantedScrub?.Run == wanted.Run) wantedScrub = null;
        await RememberScrubAsync(0).ConfigureAwait(false);
        Volatile.Write(ref scrub, now with { IsRunning = false, IsFinished = true, TimeLeft = null });
        Report(
            RaidEventKind.ScrubFinished,
            $"all stripes were looked at: {now.Inconsistent} were inconsistent, {now.Unreadable} chunks unreadable, "
            + $"{now.Repaired} stripes repaired");
    }

    // In small steps: a member that has to be rebuilt waits for nobody who wants a scrub to be slow, or to rest.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WaitForTurnAsync(WantedScrub wanted, long bytes)
    {
        if (wanted.Pace is not { } pace) return;
        for (var wait = pace(bytes); wait > TimeSpan.Zero; wait = pace(0))
        {
            if (ShouldStop || !IsScrubWanted(wanted.Run) || Volatile.Read(ref isBackgroundWanted)) return;
            await PauseAsync(wait < LongestRest ? wait : LongestRest).ConfigureAwait(false);
        }
    }

    bool IsScrubWanted(long run)
    {
        lock (backgroundGate) return wantedScrub?.Run == run;
    }

    ValueTask RememberScrubAsync(long stripes) => UpdateAsync(now => now with { ScrubbedBytes = stripes * now.ChunkBytes });

    void ReportFinding(long stripe, StripeFinding found)
    {
        var what = found.IsInconsistent ? "was inconsistent" : $"had {found.Unreadable} chunks that could not be read";
        var then = found.IsUncertain ? "and is left as it is: nothing tells which part is wrong"
            : found.IsRepaired ? "and is right now"
            : "and is left as it is";
        Report(RaidEventKind.Inconsistent, $"stripe {stripe} {what} {then}");
    }

    sealed record WantedScrub(long Run, bool IsRepairing, IChecksumOracle? Oracle, Func<long, TimeSpan>? Pace);
}
