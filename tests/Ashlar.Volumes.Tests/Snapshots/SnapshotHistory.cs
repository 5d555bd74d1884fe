namespace Ashlar.Volumes.Tests;

/// <summary>Whether something is there.</summary>
enum Presence
{
    Maybe = 0,
    There,
    Gone,
}

/// <summary>What a volume may hold after a crash.</summary>
sealed class PossibleContent(int[] durable)
{
    /// <summary>Versions by sector that it may hold instead of the durable one; the newest last.</summary>
    readonly Dictionary<int, List<int>> newer = [];
    int[] durable = durable;

    public Presence Presence { get; set; }

    /// <summary>What it holds as a whole if it has gone back to a snapshot.</summary>
    public int[]? Restored { get; set; }

    public int Length => durable.Length;

    public void Add(int sector, int version)
    {
        if (!newer.TryGetValue(sector, out var versions)) newer.Add(sector, versions = []);
        versions.Add(version);
    }

    public int[] Newest()
    {
        var content = (int[])durable.Clone();
        foreach (var (sector, versions) in newer) content[sector] = versions[^1];
        return content;
    }

    public void Settle()
    {
        durable = Newest();
        newer.Clear();
    }

    public void Restore()
    {
        durable = Restored!;
        Restored = null;
        newer.Clear();
    }

    /// <summary>The first sector that holds what it cannot; -1 when there is none.</summary>
    public int FindImpossible(int[] found)
    {
        if (Restored is not null && found.AsSpan().SequenceEqual(Restored)) return -1;
        for (var sector = 0; sector < found.Length; sector++)
        {
            if (found[sector] == durable[sector]) continue;
            if (!newer.TryGetValue(sector, out var versions) || !versions.Contains(found[sector])) return sector;
        }

        return -1;
    }

    public string Describe(int sector) =>
        $"{durable[sector]}{(newer.TryGetValue(sector, out var versions) ? $" or {string.Join(" or ", versions)}" : "")}";
}

/// <summary>Turns steps and marks into what may be found.</summary>
sealed class SnapshotHistory
{
    public SortedDictionary<string, PossibleContent> Volumes { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string Volume, string Snapshot), (Presence Presence, int[] Content)> Snapshots { get; } = [];

    public static SnapshotHistory Replay(IReadOnlyList<SnapshotStep> steps, IEnumerable<StepMark> marks)
    {
        var history = new SnapshotHistory();
        foreach (var mark in marks)
        {
            if (steps[mark.Number].WasRefused) continue;
            if (mark.IsDone) history.Finish(steps[mark.Number]);
            else history.Begin(steps[mark.Number]);
        }

        return history;
    }

    void Begin(SnapshotStep step)
    {
        switch (step.Kind)
        {
            case SnapshotStepKind.Create:
                Volumes[step.Volumes[0]] = new PossibleContent(new int[step.SectorCount]);
                break;
            case SnapshotStepKind.Write or SnapshotStepKind.Discard:
                for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
                    Volumes[step.Volumes[0]].Add(sector, step.Kind == SnapshotStepKind.Write ? step.Number : 0);
                break;
            case SnapshotStepKind.Take:
                foreach (var volume in step.Volumes) Snapshots[(volume, step.Snapshot)] = (Presence.Maybe, Volumes[volume].Newest());
                break;
            case SnapshotStepKind.Delete:
                Set(step, Presence.Maybe);
                break;
            case SnapshotStepKind.Clone:
                Volumes[step.Volumes[1]] = new PossibleContent([.. Snapshots[(step.Volumes[0], step.Snapshot)].Content]);
                break;
            case SnapshotStepKind.Restore:
                Volumes[step.Volumes[0]].Restored = [.. Snapshots[(step.Volumes[0], step.Snapshot)].Content];
                break;
            case SnapshotStepKind.DeleteVolume:
                Volumes[step.Volumes[0]].Presence = Presence.Maybe;
                foreach (var key in SnapshotsOf(step.Volumes[0])) Snapshots[key] = (Presence.Maybe, Snapshots[key].Content);
                break;
            default:
                break;
        }
    }

    void Finish(SnapshotStep step)
    {
        switch (step.Kind)
        {
            case SnapshotStepKind.Create:
                Volumes[step.Volumes[0]].Presence = Presence.There;
                break;
            case SnapshotStepKind.Take:
                Set(step, Presence.There);
                Settle(); // It commits everything.
                break;
            case SnapshotStepKind.Delete:
                Set(step, Presence.Gone);
                break;
            case SnapshotStepKind.Clone:
                Volumes[step.Volumes[1]].Presence = Presence.There;
                break;
            case SnapshotStepKind.Restore:
                Volumes[step.Volumes[0]].Restore();
                break;
            case SnapshotStepKind.DeleteVolume:
                Volumes[step.Volumes[0]].Presence = Presence.Gone;
                foreach (var key in SnapshotsOf(step.Volumes[0])) Snapshots[key] = (Presence.Gone, Snapshots[key].Content);
                break;
            case SnapshotStepKind.Flush or SnapshotStepKind.Commit or SnapshotStepKind.Reopen:
                Settle();
                break;
            default:
                break;
        }
    }

    void Settle()
    {
        foreach (var volume in Volumes.Values) volume.Settle();
    }

    void Set(SnapshotStep step, Presence presence)
    {
        foreach (var volume in step.Volumes)
            Snapshots[(volume, step.Snapshot)] = (presence, Snapshots[(volume, step.Snapshot)].Content);
    }

    (string Volume, string Snapshot)[] SnapshotsOf(string volume) => [.. Snapshots.Keys.Where(key => key.Volume == volume)];
}
