using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>What tasks of the file store have in common: what they found, and what they did.</summary>
abstract class FileWork(FileStore store) : ITaskWork
{
    /// <summary>Findings that are told; the rest is counted.</summary>
    const int MaxFindings = 100;

    readonly Lock gate = new();
    readonly List<string> findings = [];
    long leftOut, done;
    volatile string? result;

    public abstract string Type { get; }

    public TaskProgress Progress
    {
        get
        {
            lock (gate)
            {
                IReadOnlyList<string> told = leftOut == 0 ? [.. findings] : [.. findings, $"and {leftOut} more"];
                return new(Total, Interlocked.Read(ref done), told, Report: result);
            }
        }
    }

    protected FileStore Store => store;

    /// <summary>All bytes that there are to do; null where nobody knows.</summary>
    protected virtual long? Total => null;

    public abstract Task RunAsync(TaskContext context);

    /// <summary>Something is wrong.</summary>
    protected void Find(string problem)
    {
        lock (gate)
        {
            if (findings.Count < MaxFindings) findings.Add(problem);
            else leftOut++;
        }
    }

    /// <summary>Says what was done, or proved.</summary>
    protected void Say(string what) => result = what;

    /// <summary>So many bytes are done; waits until the next step may begin.</summary>
    protected ValueTask PaceAsync(TaskContext context, long bytes)
    {
        Interlocked.Add(ref done, bytes);
        return context.PaceAsync(bytes, context.Stop.Token);
    }

    /// <summary>The nodes, slowed down as the task is, and waiting while it waits.</summary>
    protected IBlockHolders Paced(TaskContext context) =>
        new PacedHolders(store.Holders, store.Metadata, bytes => PaceAsync(context, bytes));

    protected void Find(IReadOnlyDictionary<RepairOutcome, int> outcomes)
    {
        if (outcomes.GetValueOrDefault(RepairOutcome.Short) is > 0 and var few) Find($"{Count(few)} still without all copies");
        if (outcomes.GetValueOrDefault(RepairOutcome.Unreadable) is > 0 and var none) Find($"{Count(none)} of which no copy can be read");
        Say($"{Count(outcomes.GetValueOrDefault(RepairOutcome.Whole))} with all copies, each verified");
    }

    protected static string Count(long blocks) => blocks == 1 ? "1 block" : $"{blocks} blocks";
}
