namespace Ashlar.Volumes.Tests;

enum StepKind
{
    Create = 0,
    Delete,
    Write,
    WriteThrough,
    WriteAtomic,
    Discard,
    Flush,
    Commit,
    Resize,
    Reopen,
    Kill,

    /// <summary>After a kill: what the volume was found to hold.</summary>
    Observe,
}

/// <summary>One step of a workload. Its number is also the version of the sectors it writes.</summary>
sealed record Step(int Number, StepKind Kind, int Volume = 0, long StartSector = 0, int SectorCount = 0, long SizeBytes = 0)
{
    /// <summary>The step failed for lack of space and must have changed nothing.</summary>
    public bool WasRefused { get; set; }

    /// <summary>For <see cref="StepKind.Observe"/>: the versions found, by sector.</summary>
    public int[]? Found { get; init; }

    public override string ToString() => $"step {Number}: {Kind} volume {Volume}, {SectorCount} sectors at {StartSector}, size {SizeBytes}";
}

/// <summary>The workload said that it begins a step, or that the step is done.</summary>
sealed record StepMark(int Number, bool IsDone);

/// <summary>What a sector may hold after a crash: versions from the last durable one on, the newest last.</summary>
sealed class SectorHistory
{
    public List<Step?> Candidates { get; } = [null];

    public int VersionOf(int candidate, long sector) => Version(Candidates[candidate], sector);

    public bool Allows(int version, long sector) => Candidates.Exists(step => Version(step, sector) == version);

    /// <summary>Whether a version is of before a step, and of nothing that came after it.</summary>
    public bool IsBefore(Step step, int version, long sector)
    {
        var at = Candidates.IndexOf(step);
        if (at < 0) return false;
        for (var i = at; i < Candidates.Count; i++)
            if (Candidates[i] is not { Kind: StepKind.Observe } && VersionOf(i, sector) == version) return false;
        return true;
    }

    /// <summary>The newest is durable.</summary>
    public void Settle() => Candidates.RemoveRange(0, Candidates.Count - 1);

    static int Version(Step? step, long sector) => step switch
    {
        null => 0,
        { Kind: StepKind.Observe } => sector < step.Found!.Length ? step.Found[sector] : 0,
        { Kind: StepKind.Write or StepKind.WriteThrough or StepKind.WriteAtomic } => step.Number,
        _ => 0,
    };
}

/// <summary>What one volume may be after a crash.</summary>
sealed class VolumeHistory(Step creation)
{
    readonly SortedDictionary<long, SectorHistory> sectors = [];

    public Step Creation { get; } = creation;

    public bool IsCreated { get; set; }

    public bool MayBeDeleted { get; set; }

    public bool IsDeleted { get; set; }

    /// <summary>Sizes that it may have, the current one last.</summary>
    public List<long> Sizes { get; } = [creation.SizeBytes];

    public IEnumerable<KeyValuePair<long, SectorHistory>> Sectors => sectors;

    public SectorHistory Sector(long sector)
    {
        if (!sectors.TryGetValue(sector, out var history)) sectors.Add(sector, history = new SectorHistory());
        return history;
    }

    public void Settle()
    {
        foreach (var sector in sectors.Values) sector.Settle();
    }
}

/// <summary>Turns steps and marks into what may be found.</summary>
static class PoolHistory
{
    /// <summary>What may be found after a crash.</summary>
    /// <param name="steps">All steps.</param>
    /// <param name="marks">How far they came.</param>
    /// <param name="losesNothing">Whether what was done is there, flushed or not.</param>
    public static SortedDictionary<int, VolumeHistory> Replay(
        IReadOnlyList<Step> steps, IEnumerable<StepMark> marks, bool losesNothing = false)
    {
        var volumes = new SortedDictionary<int, VolumeHistory>();
        foreach (var mark in marks)
        {
            var step = steps[mark.Number];
            if (step.WasRefused) continue;
            if (!mark.IsDone)
            {
                if (losesNothing && step.Kind == StepKind.Observe) RequireAllowed(volumes[step.Volume], step);
                Begin(volumes, step);
                continue;
            }

            Finish(volumes, step);
            if (losesNothing) SettleWritten(volumes, step);
        }

        return volumes;
    }

    // What was found after an earlier kill.
    static void RequireAllowed(VolumeHistory volume, Step observed)
    {
        foreach (var (sector, history) in volume.Sectors)
        {
            if (sector >= observed.Found!.Length) continue;
            CrashFindingException.Require(
                history.Allows(observed.Found[sector], sector),
                Finding.Lost,
                $"after a kill, {observed}: sector {sector} holds version {observed.Found[sector]}; allowed: "
                + string.Join(" | ", history.Candidates.Select(step => step?.ToString() ?? "zeros")));
        }
    }

    static void SettleWritten(SortedDictionary<int, VolumeHistory> volumes, Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Write or StepKind.WriteAtomic or StepKind.Discard:
                for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
                    volumes[step.Volume].Sector(sector).Settle();
                break;
            case StepKind.Observe:
                foreach (var (sector, history) in volumes[step.Volume].Sectors)
                    if (sector < step.SectorCount) history.Settle();
                break;
            default:
                break;
        }
    }

    static void Begin(SortedDictionary<int, VolumeHistory> volumes, Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Create:
                volumes.Add(step.Volume, new VolumeHistory(step));
                break;
            case StepKind.Delete:
                volumes[step.Volume].MayBeDeleted = true;
                break;
            case StepKind.Write or StepKind.WriteThrough or StepKind.WriteAtomic or StepKind.Discard:
                for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
                    volumes[step.Volume].Sector(sector).Candidates.Add(step);
                break;
            case StepKind.Observe:
                foreach (var (sector, history) in volumes[step.Volume].Sectors)
                    if (sector < step.SectorCount) history.Candidates.Add(step);
                break;
            case StepKind.Resize:
                var volume = volumes[step.Volume];
                foreach (var (sector, history) in volume.Sectors)
                    if (sector * DescribedSector.SizeBytes >= step.SizeBytes) history.Candidates.Add(step);
                volume.Sizes.Add(step.SizeBytes);
                break;
            default:
                break;
        }
    }

    static void Finish(SortedDictionary<int, VolumeHistory> volumes, Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Create:
                volumes[step.Volume].IsCreated = true;
                break;
            case StepKind.Delete:
                volumes[step.Volume].IsDeleted = true;
                break;
            case StepKind.WriteThrough:
                for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
                    volumes[step.Volume].Sector(sector).Settle();
                break;
            case StepKind.Resize:
                var volume = volumes[step.Volume];
                volume.Sizes.RemoveRange(0, volume.Sizes.Count - 1);
                foreach (var (sector, history) in volume.Sectors)
                    if (sector * DescribedSector.SizeBytes >= step.SizeBytes) history.Settle();
                break;
            case StepKind.Flush or StepKind.Commit or StepKind.Reopen:
                foreach (var each in volumes.Values) each.Settle();
                break;
            default:
                break;
        }
    }
}
