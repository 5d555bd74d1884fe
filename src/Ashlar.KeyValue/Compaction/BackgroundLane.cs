namespace Ashlar.KeyValue.Compaction;

/// <summary>One kind of background work, done by one thread at a time. Fields are read and written under the worker's lock.</summary>
/// <param name="workOnce">Does one piece of work; false if there is none.</param>
sealed class BackgroundLane(Func<bool> workOnce)
{
    /// <summary>There may be work.</summary>
    public bool HasWork { get; set; } = true;

    /// <summary>Whether its thread is at it.</summary>
    public bool IsWorking { get; set; }

    /// <summary>Pieces of work tried so far.</summary>
    public long Attempts { get; set; }

    /// <summary>Those of them that were done.</summary>
    public long Done { get; set; }

    /// <summary>What stopped the last piece of work; null if it was done.</summary>
    public Exception? Failure { get; set; }

    public Func<bool> WorkOnce { get; } = workOnce;

    /// <summary>Has it tried again: what failed before may work now, because somebody made space.</summary>
    public void Retry()
    {
        Failure = null;
        HasWork = true;
    }
}
