using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>What a victim said in one life, in the order in which it said it.</summary>
sealed class LifeHistory
{
    readonly int powerCutAt;
    readonly List<int>[] begunAt = NewLists();
    readonly List<int>[] acknowledgedAt = NewLists();
    readonly List<(int, int)> acknowledgedWithoutPower = [];
    readonly List<BackupRun> backups = [];
    readonly HashSet<ulong> deletedBackups = [];
    readonly ReportRecord[] records;
    int length;

    /// <param name="records">All it said.</param>
    /// <param name="powerCutAt">How much of that it had said when power failed.</param>
    public LifeHistory(IEnumerable<ReportRecord> records, int powerCutAt = int.MaxValue)
    {
        this.powerCutAt = powerCutAt;
        this.records = [.. records];
        foreach (var record in this.records) Add(record);
    }

    /// <summary>What it had said up to a moment.</summary>
    public LifeHistory Until(int position) => new(records.Take(position), powerCutAt);

    /// <summary>Whether a kill ended it, from outside or by its own hand.</summary>
    public bool WasKilled { get; init; }

    /// <summary>Whether the store was about to be opened, which is when it recovers.</summary>
    public bool IsOpening { get; private set; }

    /// <summary>Whether the store was open.</summary>
    public bool IsReady { get; private set; }

    /// <summary>When it began to close the store, so that calls may fail; null if it did not.</summary>
    public int? ClosingAt { get; private set; }

    /// <summary>When the store had been closed in good order; null if it was not.</summary>
    public int? ClosedAt { get; private set; }

    /// <summary>The operation of the disk at which the victim ended itself; null if somebody else did.</summary>
    public int? EndedItselfAt { get; private set; }

    public int WrongReads { get; private set; }

    /// <summary>Calls that failed although the store was open and the disk had power.</summary>
    public int Failures { get; private set; }

    /// <summary>Bytes of values that are known to have been moved.</summary>
    public int MovedValueBytes { get; private set; }

    /// <summary>Backups that were begun, one after the other.</summary>
    public IReadOnlyList<BackupRun> Backups => backups;

    /// <summary>Backups that may be gone, because their deletion was begun.</summary>
    public IReadOnlySet<ulong> DeletedBackups => deletedBackups;

    /// <summary>Calls that began without power and reported success all the same.</summary>
    public IReadOnlyList<(int Thread, int Index)> AcknowledgedWithoutPower => acknowledgedWithoutPower;

    /// <summary>Calls that began without power.</summary>
    public int BegunWithoutPower { get; private set; }

    public int Acknowledged => acknowledgedAt.Sum(thread => thread.Count(position => position < int.MaxValue));

    public int BegunBy(int thread) => begunAt[thread].Count;

    public int BegunAt(int thread, int index) => begunAt[thread][index];

    /// <summary><see cref="int.MaxValue"/> if the call never returned, as far as anybody knows.</summary>
    public int AcknowledgedAt(int thread, int index) => acknowledgedAt[thread][index];

    /// <summary>Operations of a thread up to the last one that was acknowledged before a moment.</summary>
    public int AcknowledgedBefore(int thread, int position)
    {
        for (var index = begunAt[thread].Count - 1; index >= 0; index--)
        {
            if (acknowledgedAt[thread][index] < position) return index + 1;
        }

        return 0;
    }

    void Add(ReportRecord record)
    {
        var position = length++;
        switch (record.Kind)
        {
            case ReportKind.Opening: IsOpening = true; break;
            case ReportKind.Ready: IsReady = true; break;
            case ReportKind.Closing: ClosingAt = position; break;
            case ReportKind.Closed when position < powerCutAt: ClosedAt = position; break;
            case ReportKind.WrongRead: WrongReads++; break;
            case ReportKind.Failed when position < powerCutAt && ClosingAt is null: Failures++; break;
            case ReportKind.ValuesMoved: MovedValueBytes = record.Index; break;
            case ReportKind.BackupBegun: backups.Add(new(position)); break;
            case ReportKind.BackupDone when position < powerCutAt:
                backups[^1] = backups[^1] with { DoneAt = position, Number = (ulong)record.Index };
                break;
            case ReportKind.BackupDeleted: deletedBackups.Add((ulong)record.Index); break;
            case ReportKind.EndsItself: EndedItselfAt = record.Index; break;
            case ReportKind.Begun:
                if (record.Index != begunAt[record.Thread].Count)
                    throw new InvalidOperationException($"Operation {record.Index} of thread {record.Thread} begins out of turn.");
                if (position >= powerCutAt) BegunWithoutPower++;
                begunAt[record.Thread].Add(position);
                acknowledgedAt[record.Thread].Add(int.MaxValue);
                break;
            // What was under way when power failed may be told anything: nobody lives to hear it.
            case ReportKind.Acknowledged when position >= powerCutAt:
                if (begunAt[record.Thread][record.Index] >= powerCutAt) acknowledgedWithoutPower.Add((record.Thread, record.Index));
                break;
            case ReportKind.Acknowledged: acknowledgedAt[record.Thread][record.Index] = position; break;
            default: break;
        }
    }

    static List<int>[] NewLists() => [.. Enumerable.Range(0, VictimWorkload.Threads).Select(_ => new List<int>())];
}

/// <summary>A backup that was begun.</summary>
/// <param name="BegunAt">When.</param>
readonly record struct BackupRun(int BegunAt)
{
    /// <summary>When it was reported as made; null if it never was.</summary>
    public int? DoneAt { get; init; }

    /// <summary>Its number, once it is made.</summary>
    public ulong Number { get; init; }
}
