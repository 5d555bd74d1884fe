using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>A scenario that is under way: the store, what it holds, what was promised, and what was met.</summary>
sealed class ScenarioRun : IDisposable
{
    readonly SimulatedFileSystem disk;
    readonly Func<AshlarException, bool> mayFail;
    readonly List<object> marks = [];
    int generations, entropies;

    /// <param name="options">What is run.</param>
    /// <param name="disk">Keeps the marks, in order with what happens on it.</param>
    /// <param name="seen">The same disk as the store sees it.</param>
    /// <param name="mayFail">Failures that somebody has planted.</param>
    public ScenarioRun(ScenarioOptions options, SimulatedFileSystem disk, IFileSystem seen, Func<AshlarException, bool> mayFail)
    {
        this.disk = disk;
        this.mayFail = mayFail;
        Options = options;
        Seen = seen;
        Random = SeededRandom.For(options.Seed, "operations");
        Store = ScenarioStore.Open(options, 0, seen, options.Seed);
    }

    public ScenarioOptions Options { get; }

    public IFileSystem Seen { get; }

    public SeededRandom Random { get; }

    public ScenarioStore Store { get; private set; }

    public StoreModel Model { get; init; } = new();

    public ScenarioCounts Counts { get; init; } = new();

    public int Generation { get; private set; }

    /// <summary>What is in the queue, oldest first.</summary>
    public Queue<string> Queue { get; } = [];

    /// <summary>Backups that are there, and what they hold.</summary>
    public SortedDictionary<ulong, SortedDictionary<string, string>> Backups { get; } = [];

    /// <summary>Views that are held open, and what they must show.</summary>
    public Queue<(HeldView View, string Content)> Held { get; } = [];

    /// <summary>Transactions that are open.</summary>
    public List<ScenarioTransaction> Transactions { get; } = [];

    /// <summary>Which put of each key counts.</summary>
    public KeyVersions Versions { get; } = new();

    /// <summary>Said so far.</summary>
    public IReadOnlyList<object> Marks => marks;

    public ScenarioBackups BackupFiles => new(Options, Seen, Generation, NewEntropy());

    /// <summary>Whether the disk was filled and not yet emptied.</summary>
    public bool IsDiskFull { get; private set; }

    /// <summary>Whether operations on the disk are made to fail.</summary>
    public bool HasFaults { get; init; }

    /// <summary>What each backup holds that was ever reported.</summary>
    public Dictionary<ulong, SortedDictionary<string, string>> BackupEntries { get; init; } = [];

    public ulong NewEntropy() => Options.Seed + (1000 * (ulong)++entropies);

    /// <summary>The next place for a store, where nothing was yet.</summary>
    public int NewGeneration() => ++generations;

    public void Mark(object mark)
    {
        marks.Add(mark);
        disk.Mark(mark);
    }

    public void Promise(string? lane = null) => Mark(new Promised(Model.Step, lane));

    /// <summary>Writes a batch, and learns what may be there from now on.</summary>
    /// <returns>Whether it was taken.</returns>
    public bool Write(IReadOnlyList<ScenarioChange> changes, Durability durability)
    {
        var batch = new WriteBatch();
        foreach (var change in changes) change.AddTo(batch);
        return Write(batch, changes, durability);
    }

    /// <summary>Writes a batch that does what is said by the changes.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="changes">What becomes of keys by it.</param>
    /// <param name="durability">How it is written.</param>
    /// <param name="ranges">What it deletes, with keys or without.</param>
    /// <returns>Whether it was taken.</returns>
    public bool Write(
        WriteBatch batch, IReadOnlyList<ScenarioChange> changes, Durability durability, IReadOnlyList<KeySpan>? ranges = null)
    {
        return Change(changes, ranges ?? [], durability == Durability.Sync, () =>
        {
            Store.Write(batch, durability);
            return true;
        });
    }

    /// <summary>Changes what the store holds, and learns what may be there from now on.</summary>
    /// <param name="changes">What becomes of keys.</param>
    /// <param name="ranges">What is deleted, with keys or without.</param>
    /// <param name="isDurable">Whether it is durable once it has returned.</param>
    /// <param name="act">Does it; false: nothing of it was done.</param>
    /// <returns>Whether it was done.</returns>
    public bool Change(IReadOnlyList<ScenarioChange> changes, IReadOnlyList<KeySpan> ranges, bool isDurable, Func<bool> act)
    {
        var before = Model.Copy();
        Model.Begin(changes.Select(change => (change.ModelKey, change.Remains)), Store.LaneOf);
        Mark(new Begun(Model.Step));
        try
        {
            if (!act())
            {
                Model.Refuse(before);
                return false;
            }
        }
        catch (AshlarException refused) when (mayFail(refused))
        {
            if (refused is StorePoisonedException) throw new ProcessEndsException(refused);
            Counts.Refused++;
            Model.Refuse(before);
            return false;
        }

        Versions.Apply(changes);
        foreach (var transaction in Transactions) transaction.Overtake(changes, ranges);
        if (isDurable) Promise(Model.LaneOf(changes[0].ModelKey));
        return true;
    }

    /// <summary>Does what may fail where something was planted.</summary>
    /// <returns>Whether it did not.</returns>
    public bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (AshlarException planted) when (mayFail(planted))
        {
            if (planted is StorePoisonedException) throw new ProcessEndsException(planted);
            Counts.Failed++;
            return false;
        }
    }

    /// <summary>Closes the store; what was written is durable unless it says otherwise.</summary>
    public void Close()
    {
        while (Held.TryDequeue(out var held)) held.View.Dispose();
        EndTransactions();
        Try(() => Counts.MovedValueBytes += Store.MovedValueBytes);
        Store.Dispose();
        if (Store.Failure is null) Promise();
        else if (Store.Failure is not AshlarException planted || !mayFail(planted)) throw Store.Failure;
        else
        {
            Counts.FailedToClose++;
            throw new ProcessEndsException(Store.Failure); // What it lost is lost.
        }
    }

    public void Open()
    {
        try
        {
            Store = ScenarioStore.Open(Options, Generation, Seen, NewEntropy());
        }
        catch (AshlarException planted) when (mayFail(planted))
        {
            throw new ProcessEndsException(planted);
        }
    }

    /// <summary>Goes on in another directory, whose store is durable by now.</summary>
    public void Move(int generation, SortedDictionary<string, string> content)
    {
        Generation = generation;
        Model.BecomeAgain(content);
        Versions.Begin(content.Keys);
        FindQueue();
        Mark(new Moved(Generation, Model.Step));
    }

    /// <summary>The queue is what is left of it.</summary>
    public void FindQueue()
    {
        Queue.Clear();
        foreach (var key in Model.Content.Keys.Where(key => key.StartsWith(QueueOperation.Prefix, StringComparison.Ordinal)))
            Queue.Enqueue(key);
    }

    /// <summary>Lets the disk have no more room than this beyond what is on it.</summary>
    public void FillDisk(long roomBytes)
    {
        IsDiskFull = true;
        disk.CapacityBytes = disk.CapacityBytes - disk.GetFreeSpaceBytes("/") + roomBytes;
    }

    public void EmptyDisk()
    {
        IsDiskFull = false;
        disk.CapacityBytes = 1L << 40;
    }

    public void Dispose()
    {
        foreach (var held in Held) held.View.Dispose();
        EndTransactions();
        Store.Dispose();
    }

    void EndTransactions()
    {
        foreach (var transaction in Transactions) transaction.Dispose();
        Transactions.Clear();
    }
}

/// <summary>The store refuses to go on after what was planted: the process ends here.</summary>
sealed class ProcessEndsException(Exception cause) : Exception(cause.Message, cause);
