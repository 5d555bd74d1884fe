namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>What the marks of a scenario say together.</summary>
sealed class ScenarioMarks
{
    readonly Dictionary<string, int> promisedOfLane = [];
    readonly Dictionary<ulong, int> backups = [];
    int promisedOfAll;
    int? archived;
    int movedAt;

    public ScenarioMarks(IReadOnlyList<object> marks)
    {
        foreach (var mark in marks) Read(mark);
    }

    /// <summary>The last change that may be there.</summary>
    public int Begun { get; private set; }

    /// <summary>Where the store is.</summary>
    public int Generation { get; private set; }

    /// <summary>What the archive promised of it; null if that is nothing, or there is no backup to go with it.</summary>
    public int? Archived => HasBackupHere && archived > movedAt ? archived : null;

    /// <summary>Backups that must be there.</summary>
    public IEnumerable<ulong> Backups => backups.Keys;

    /// <summary>Whether there is a backup of the store where it is now.</summary>
    public bool HasBackupHere => backups.ContainsValue(Generation);

    public int PromisedOf(string lane) => Math.Max(promisedOfAll, promisedOfLane.GetValueOrDefault(lane));

    void Read(object mark)
    {
        switch (mark)
        {
            case Begun begun:
                Begun = begun.Step;
                break;
            case Promised { Lane: null } promised:
                promisedOfAll = promised.Step;
                break;
            case Promised promised:
                promisedOfLane[promised.Lane] = promised.Step;
                break;
            case BackedUp made:
                backups[made.Number] = Generation;
                break;
            case BackupGoes gone:
                backups.Remove(gone.Number);
                break;
            case Archived { Step: var step }:
                archived = step;
                break;
            case Moved moved:
                (Generation, promisedOfAll, Begun) = (moved.Generation, moved.Step, Math.Max(Begun, moved.Step));
                (archived, movedAt) = (null, moved.Step);
                break;
        }
    }
}
