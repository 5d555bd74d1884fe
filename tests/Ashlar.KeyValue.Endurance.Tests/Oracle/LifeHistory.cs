using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>What a victim said in one life, in the order in which it said it.</summary>
sealed class LifeHistory
{
    readonly int powerCutAt;
    readonly List<int>[] begunAt = NewLists();
    readonly List<int>[] acknowledgedAt = NewLists();
    readonly List<(int, int)> acknowledgedWithoutPower = [];
    int length;

    /// <param name="records">All it said.</param>
    /// <param name="powerCutAt">How much of that it had said when power failed.</param>
    public LifeHistory(IEnumerable<ReportRecord> records, int powerCutAt = int.MaxValue)
    {
        this.powerCutAt = powerCutAt;
        foreach (var record in records) Add(record);
    }

    public bool IsReady { get; private set; }

    /// <summary>When the store had been closed in good order; null if it was not.</summary>
    public int? ClosedAt { get; private set; }

    /// <summary>The operation of the disk at which the victim killed itself; null if somebody else did.</summary>
    public int? KilledItselfAt { get; private set; }

    public int WrongReads { get; private set; }

    /// <summary>Calls that began without power and reported success all the same.</summary>
    public IReadOnlyList<(int Thread, int Index)> AcknowledgedWithoutPower => acknowledgedWithoutPower;

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
            case ReportKind.Ready: IsReady = true; break;
            case ReportKind.Closed when position < powerCutAt: ClosedAt = position; break;
            case ReportKind.WrongRead: WrongReads++; break;
            case ReportKind.KillsItself: KilledItselfAt = record.Index; break;
            case ReportKind.Begun:
                if (record.Index != begunAt[record.Thread].Count)
                    throw new InvalidOperationException($"Operation {record.Index} of thread {record.Thread} begins out of turn.");
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
