namespace Ashlar.Volumes.Tests;

enum ConcurrentStepKind
{
    Write = 0,
    WriteThrough,
    Discard,

    /// <summary>A flush of one volume, or a commit of the pool: covers everything that had completed when it began.</summary>
    Flush,

    /// <summary>A volume of a name and a size is created; it is there, durably, when the step ends.</summary>
    Create,

    /// <summary>What lies beyond the new size is gone for good when the step ends.</summary>
    Resize,

    Delete,
}

/// <summary>What one of several writers did. Its number is the version of the sectors that it wrote.</summary>
sealed record ConcurrentStep(
    int Number, ConcurrentStepKind Kind, int Volume = 0, long StartSector = 0, int SectorCount = 0, long SizeBytes = 0);

/// <summary>A step began, or ended.</summary>
sealed record ConcurrentMark(ConcurrentStep Step, bool IsDone);

/// <summary>
/// What each sector may hold after a crash, when several writers were at work. No two of them write the same sector, so the steps of one
/// sector follow each other; those of different sectors overlap.
/// </summary>
sealed class ConcurrentHistory
{
    readonly SortedDictionary<(int Volume, long Sector), List<Candidate>> sectors = [];
    readonly Dictionary<int, List<long>> sizes = [];
    readonly Dictionary<int, long> flushes = [];
    long completed;

    /// <summary>Flushes that ended, of those that overlapped a write.</summary>
    public int OverlappingFlushes { get; private set; }

    public static ConcurrentHistory Replay(IEnumerable<ConcurrentMark> marks)
    {
        var history = new ConcurrentHistory();
        var running = 0;
        foreach (var mark in marks)
        {
            if (mark.Step.Kind == ConcurrentStepKind.Flush)
            {
                if (mark.IsDone) history.EndFlush(mark.Step, running);
                else history.flushes[mark.Step.Number] = history.completed;
                continue;
            }

            if (mark.Step.Kind > ConcurrentStepKind.Flush)
            {
                history.ChangeSize(mark.Step, mark.IsDone);
                continue;
            }

            running += mark.IsDone ? -1 : 1;
            if (mark.IsDone) history.End(mark.Step);
            else history.Begin(mark.Step);
        }

        return history;
    }

    /// <summary>Every sector that was ever written to, with the versions that it may hold.</summary>
    public IEnumerable<(long Sector, IReadOnlyList<int> Versions)> SectorsOf(int volume) => sectors
        .Where(each => each.Key.Volume == volume)
        .Select(each => (each.Key.Sector, (IReadOnlyList<int>)[.. each.Value.Select(candidate => candidate.Version)]));

    /// <summary>What each volume that was ever begun may be as large as; 0 is not to be there.</summary>
    public IReadOnlyDictionary<int, List<long>> Sizes => sizes;

    // What is cut off, or deleted, is one change of each sector that was written there.
    void ChangeSize(ConcurrentStep step, bool isDone)
    {
        if (!sizes.TryGetValue(step.Volume, out var possible)) sizes.Add(step.Volume, possible = [0]);
        if (isDone) possible.Clear();
        possible.Add(step.SizeBytes);
        foreach (var ((volume, sector), candidates) in sectors)
        {
            if (volume != step.Volume || sector * DescribedSector.SizeBytes < step.SizeBytes) continue;
            if (!isDone) candidates.Add(new Candidate(0));
            else candidates.RemoveRange(0, candidates.Count - 1);
            candidates[^1].CompletedAs = isDone ? completed : long.MaxValue;
        }
    }

    void Begin(ConcurrentStep step)
    {
        foreach (var candidates in Of(step))
            candidates.Add(new Candidate(step.Kind == ConcurrentStepKind.Discard ? 0 : step.Number));
    }

    void End(ConcurrentStep step)
    {
        completed++;
        foreach (var candidates in Of(step))
        {
            candidates[^1].CompletedAs = completed;
            if (step.Kind == ConcurrentStepKind.WriteThrough) candidates.RemoveRange(0, candidates.Count - 1);
        }
    }

    void EndFlush(ConcurrentStep step, int running)
    {
        var floor = flushes[step.Number];
        if (running > 0) OverlappingFlushes++;
        foreach (var candidates in sectors.Values)
        {
            var last = candidates.FindLastIndex(candidate => candidate.CompletedAs <= floor);
            if (last > 0) candidates.RemoveRange(0, last);
        }
    }

    IEnumerable<List<Candidate>> Of(ConcurrentStep step)
    {
        for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
        {
            if (!sectors.TryGetValue((step.Volume, sector), out var candidates))
                sectors.Add((step.Volume, sector), candidates = [new Candidate(0) { CompletedAs = 0 }]);
            yield return candidates;
        }
    }

    sealed class Candidate(int version)
    {
        public int Version { get; } = version;

        /// <summary>How many steps had completed when it had; the largest number while it has not.</summary>
        public long CompletedAs { get; set; } = long.MaxValue;
    }
}
