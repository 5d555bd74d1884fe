using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// The flushes of the log that are under way, in the order in which they began.
/// </summary>
/// <remarks>
/// <para>Invariant: a flush counts only when it has succeeded and every one that began before it has, too; and when one fails,
/// none that has not counted yet ever will.</para>
/// <para>Why: Linux reports a failed write-back once for each open file description, to the next flush on it. Two flushes
/// under way on one description could thus swap their errors, and the later one's success says nothing of the earlier
/// one's bytes. So each flush under way has a description of its own (<see cref="HandleOf"/>), a description is used again only
/// after its last flush has counted, and what a flush vouches for is taken over in order.</para>
/// <para>All members but <see cref="WaitForAtMost"/> are called under <see cref="Gate"/>.</para>
/// </remarks>
sealed class InFlightSyncs(int maxInFlight)
{
    readonly InFlightSync[] ring = new InFlightSync[maxInFlight];
    readonly WaitWord fewer = new();
    int awaited;
    long began;
    long returned;
    long counted;

    /// <summary>Guards the commit queue and this.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The flush that began last; they are counted from 1.</summary>
    public long Last => began;

    /// <summary>The last flush that counts: it and all before it have succeeded.</summary>
    public long Counted => counted;

    /// <summary>The first failure; from then on nothing counts any more.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether a leader waits for flushes to end.</summary>
    public bool IsAwaited { get; private set; }

    /// <summary>How many may be under way.</summary>
    public int Max => ring.Length;

    /// <summary>Flushes that do not count yet.</summary>
    public int UnderWay => (int)(began - counted);

    public bool HasRoom => UnderWay < Max;

    /// <summary>End of the log when the last flush began: what a flush now would have to cover beyond that.</summary>
    public LogPosition LastCovers { get; private set; }

    /// <summary>Which of the log's open file descriptions a flush uses.</summary>
    public int HandleOf(long sync) => (int)(sync % ring.Length);

    /// <summary>Begins a flush of everything that is in the log up to <paramref name="covers"/>.</summary>
    public long Begin(LogPosition covers)
    {
        Invariant.Require(HasRoom && Failure is null);
        began++;
        ring[HandleOf(began)] = new InFlightSync(covers);
        LastCovers = covers;
        return began;
    }

    /// <summary>A flush has returned. True if more count now: <paramref name="durable"/> says how far.</summary>
    public bool End(long sync, Exception? error, out LogPosition durable)
    {
        durable = default;
        var before = counted;
        returned++;
        Failure ??= error;
        ring[HandleOf(sync)].HasSucceeded = error is null;
        while (MayCount(counted + 1)) durable = ring[HandleOf(++counted)].Covers;
        WakeLeader();
        return counted != before;
    }

    /// <summary>What is believed of the store is wrong: nothing counts any more.</summary>
    public void Fail(InvariantException bug)
    {
        Failure ??= bug;
        WakeLeader();
    }

    /// <summary>
    /// Blocks the leader until at most so many flushes are under way; once one has failed, until all have returned.
    /// </summary>
    public void WaitForAtMost(int count)
    {
        using (Gate.Hold())
        {
            if (HasAtMost(count)) return;
            awaited = count;
            IsAwaited = true;
            fewer.Value = 0;
        }

        fewer.WaitWhile(0);
        // Whoever ended the last flush wakes us before it has told the log how far that counts. Told later, the next segment
        // would take the end of this one for its own: bytes that nobody has flushed would count as durable.
        using (Gate.Hold())
        {
        }
    }

    void WakeLeader()
    {
        if (!IsAwaited || !HasAtMost(awaited)) return;
        IsAwaited = false;
        fewer.Value = 1;
        fewer.WakeAll();
    }

    bool MayCount(long sync) => sync <= began && ring[HandleOf(sync)].HasSucceeded && Failure is null;

    bool HasAtMost(int count) => Failure is null ? began - counted <= count : returned == began;

    record struct InFlightSync(LogPosition Covers)
    {
        public bool HasSucceeded { get; set; }
    }
}

/// <summary>A place in history: an entry's sequence, and where the log ended when it was the last one.</summary>
readonly record struct LogPosition(ulong Sequence, long EndOffset);
