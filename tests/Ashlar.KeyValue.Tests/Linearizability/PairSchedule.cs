using System.Globalization;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A writer and a reader of one pair of keys whose calls overlap in one order and no other: while the writer's log is being written the
/// reader reads, within the writer's call to the disk; and one of its reads goes on when the write has ended.
/// </summary>
sealed class PairSchedule
{
    readonly ClientBug bug;
    readonly KeyValueStore store;
    readonly KeyValueSnapshot kept;
    readonly List<RecordedCall<PairOperation>> history = [];
    (KeyValueSnapshot Snapshot, int Left, long Begun)? longRead;
    long time;
    bool isWriting, isTorn, isStale;

    PairSchedule(ClientBug bug)
    {
        this.bug = bug;
        var disk = new FaultyFileSystem(TestStore.NewDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (isWriting && operation == FaultOperations.Write && path.Contains("/log-", StringComparison.Ordinal)) ReadMeanwhile();
            },
        };
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { MemTableBytes = 1 << 20 });
        kept = store.CreateSnapshot();
    }

    /// <summary>What the history shows: <c>torn</c>, <c>stale</c>, or <c>sound</c>, which the checker has to say as well.</summary>
    public static string Run(ClientBug bug)
    {
        var schedule = new PairSchedule(bug);
        using (schedule.store)
        {
            schedule.Write(1);
            schedule.Write(2);
        }
        return schedule.Judge();
    }

    string Judge()
    {
        var seen = isTorn ? "torn" : isStale ? "stale" : "sound";
        var verdict = PairOperation.NewChecker().Check(history);
        var calls = string.Join('\n', history.Select(call => $"  {call.Begun}..{call.Returned} {call.Operation}"));
        return verdict == (seen == "sound" ? Linearizability.Yes : Linearizability.No)
            ? seen
            : string.Create(CultureInfo.InvariantCulture, $"{seen}, of which the checker says {verdict}:\n{calls}");
    }

    void Write(int value)
    {
        var both = new WriteBatch();
        both.Put(TestStore.Bytes("l"), TestStore.Bytes($"{value}"));
        var second = bug == ClientBug.TornBatches ? new WriteBatch() : both;
        second.Put(TestStore.Bytes("r"), TestStore.Bytes($"{value}"));
        var begun = ++time;
        if (bug == ClientBug.EarlyAnswers) Remember(PairOperation.Write(value, value), begun);
        isWriting = true;
        store.Write(both, Durability.Sync);
        if (second != both) store.Write(second, Durability.Sync);
        isWriting = false;
        if (bug != ClientBug.EarlyAnswers) Remember(PairOperation.Write(value, value), begun);
        EndLongRead();
        if (bug == ClientBug.StaleReads) Read(kept);
        else ReadNow();
    }

    void ReadMeanwhile()
    {
        if (longRead is null)
        {
            var begun = ++time;
            var snapshot = store.CreateSnapshot();
            longRead = (snapshot, Number(snapshot.Get("l")), begun);
        }
        ReadNow();
    }

    void EndLongRead()
    {
        Invariant.Require(longRead is not null); // Else nothing has overlapped.
        var (snapshot, left, begun) = longRead.Value;
        Found(left, Number(snapshot.Get("r")), begun);
        snapshot.Dispose();
        longRead = null;
    }

    void ReadNow()
    {
        using var snapshot = store.CreateSnapshot();
        Read(snapshot);
    }

    void Read(KeyValueSnapshot snapshot)
    {
        var begun = ++time;
        Found(Number(snapshot.Get("l")), Number(snapshot.Get("r")), begun);
    }

    void Found(int left, int right, long begun)
    {
        var written = history.Where(call => call.Operation.IsWrite && call.Returned < begun).Max(call => call.Operation.Left) ?? 0;
        isTorn |= left != right;
        isStale |= Math.Max(left, right) < written;
        Remember(PairOperation.Read(left, right), begun);
    }

    void Remember(PairOperation operation, long begun) => history.Add(new(operation, begun, ++time));

    static int Number(string? value) => value is null ? 0 : int.Parse(value, CultureInfo.InvariantCulture);
}
