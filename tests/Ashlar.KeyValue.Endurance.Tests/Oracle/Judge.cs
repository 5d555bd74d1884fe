using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

enum Death
{
    /// <summary>SIGKILL: the page cache lives on, so everything acknowledged must be there.</summary>
    OfTheProcess = 0,

    /// <summary>Power: everything promised as durable must be there, and of the rest what came before anything that is.</summary>
    OfTheMachine,

    /// <summary>A backup: as after the death of the process, but only of what was acknowledged before it began.</summary>
    None,
}

/// <summary>
/// Decides whether what a store holds after a death can come from what was asked of it before. Knows the store only through
/// what is found in it.
/// </summary>
/// <remarks>
/// A thread's operations have one order, so its own keys must look as after the first so many of them: a half batch, a
/// hole, a value from nowhere look like no such number. Between threads the order is known where one call returned before
/// another began: then the later one may not be there without the earlier. Keys that threads share hold the value of an
/// operation that is there and was not surely overwritten.
/// </remarks>
sealed class Judge(
    ulong seed, int life, IReadOnlyDictionary<string, string> before, LifeHistory history, Death death,
    Func<ulong, int, int, int, VictimOperation>? operationOf = null)
{
    readonly Func<ulong, int, int, int, VictimOperation> operationOf = operationOf ?? VictimWorkload.Operation;
    readonly VictimOperation[][] operations = new VictimOperation[VictimWorkload.Threads][];
    readonly int[] fewest = new int[VictimWorkload.Threads];
    readonly int[] most = new int[VictimWorkload.Threads];

    /// <summary>The part of the keys that is judged: one engine of several.</summary>
    public Func<string, bool> Concerns { get; init; } = _ => true;

    /// <summary>Bytes of relaxed writes that power loss may take.</summary>
    public long MostLost { get; init; } = VictimWorkload.Options.RelaxedLossBytes;

    /// <summary>What was acknowledged before this moment is in a backup.</summary>
    public int BackupBegunAt { get; init; } = int.MaxValue;

    /// <exception cref="JudgeException">It cannot.</exception>
    public void Require(IReadOnlyDictionary<string, string> found)
    {
        if (history.WrongReads > 0)
            throw new JudgeException(JudgeProblem.WrongRead, $"{history.WrongReads} reads of the living did not find what was written.");
        if (history.Failures > 0)
            throw new JudgeException(JudgeProblem.FailedCall, "A call failed, though nothing was wrong with the disk.");
        for (var thread = 0; thread < operations.Length; thread++)
            operations[thread] = [.. Enumerable.Range(0, history.BegunBy(thread))
                .Select(index => operationOf(seed, life, thread, index).Of(Concerns))];
        foreach (var (thread, index) in history.AcknowledgedWithoutPower)
        {
            if (operations[thread][index] is { IsSync: false, Durability: Durability.Sync })
                throw new JudgeException(
                    JudgeProblem.AcknowledgedWithoutPower,
                    $"Operation {index} of thread {thread} began without power and was acknowledged as durable.");
        }

        for (var thread = 0; thread < operations.Length; thread++) FindEnd(thread, Promised(thread), found);
        RequireNoHole();
        RequireBoundedLoss();
        foreach (var key in before.Keys.Concat(found.Keys).Concat(SharedKeysWritten()).Distinct())
        {
            if (key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal)) RequireShared(key, found.GetValueOrDefault(key));
            else if (!Enumerable.Range(0, operations.Length).Any(thread => IsOwn(thread, key)))
                throw new JudgeException(JudgeProblem.Unwritten, $"Nobody ever wrote the key '{key}'.");
        }
    }

    /// <summary>So many operations of a thread must be there.</summary>
    int Promised(int thread)
    {
        if (death != Death.OfTheMachine) return history.AcknowledgedBefore(thread, BackupBegunAt);
        var promised = history.ClosedAt is { } closed ? history.AcknowledgedBefore(thread, closed) : 0;
        for (var index = operations[thread].Length - 1; index >= promised; index--)
        {
            if (operations[thread][index] is not { IsSync: false, Durability: Durability.Sync }) continue;
            if (history.AcknowledgedAt(thread, index) == int.MaxValue) continue;
            promised = index + 1;
            break;
        }

        // A completed call of Sync vouches for everything that anybody had been told before it began.
        for (var caller = 0; caller < operations.Length; caller++)
        {
            for (var index = operations[caller].Length - 1; index >= 0; index--)
            {
                if (!operations[caller][index].IsSync || history.AcknowledgedAt(caller, index) == int.MaxValue) continue;
                promised = Math.Max(promised, history.AcknowledgedBefore(thread, history.BegunAt(caller, index)));
                break;
            }
        }

        return promised;
    }

    /// <summary>After how many operations of a thread its own keys looked as they do now.</summary>
    void FindEnd(int thread, int promised, IReadOnlyDictionary<string, string> found)
    {
        var now = Own(thread, found);
        var state = Own(thread, before);
        var different = state.Keys.Union(now.Keys).Count(key => state.GetValueOrDefault(key) != now.GetValueOrDefault(key));
        fewest[thread] = -1;
        var isEarlier = false;
        for (var count = 0; ; count++)
        {
            isEarlier |= different == 0 && count < promised;
            if (different == 0 && count >= promised)
            {
                if (fewest[thread] < 0) fewest[thread] = count;
                most[thread] = count;
            }

            if (count == operations[thread].Length) break;
            foreach (var (key, value) in operations[thread][count].Changes)
            {
                if (!IsOwn(thread, key)) continue;
                var wanted = now.GetValueOrDefault(key);
                if (state.GetValueOrDefault(key) != wanted) different--;
                if (value != wanted) different++;
                if (value is null) state.Remove(key);
                else state[key] = value;
            }
        }

        if (fewest[thread] < 0)
            throw new JudgeException(
                isEarlier ? JudgeProblem.Lost : JudgeProblem.NoPrefix,
                $"Thread {thread} was promised {promised} of {operations[thread].Length} operations; no number of them leaves what is "
                    + $"found:\n"
                + Difference(thread, promised, now));
    }

    void RequireNoHole()
    {
        for (var later = 0; later < operations.Length; later++)
        {
            if (fewest[later] == 0) continue;
            var begun = history.BegunAt(later, fewest[later] - 1);
            for (var earlier = 0; earlier < operations.Length; earlier++)
            {
                var needed = history.AcknowledgedBefore(earlier, begun);
                if (most[earlier] < needed)
                    throw new JudgeException(
                        JudgeProblem.Hole,
                        $"A hole: operation {fewest[later] - 1} of thread {later} is there, but of thread {earlier} only {most[earlier]} "
                        + $"of the {needed} that had been acknowledged before it began.");
            }
        }
    }

    void RequireBoundedLoss()
    {
        if (death != Death.OfTheMachine) return;
        long lost = 0;
        for (var thread = 0; thread < operations.Length; thread++)
        {
            for (var index = most[thread]; index < operations[thread].Length; index++)
            {
                if (history.AcknowledgedAt(thread, index) < int.MaxValue) lost += operations[thread][index].SizeBytes;
            }
        }

        if (lost > MostLost)
            throw new JudgeException(JudgeProblem.TooMuchLost, $"{lost} bytes that were acknowledged are lost; at most {MostLost} may be.");
    }

    void RequireShared(string key, string? found)
    {
        var writes = new List<(int Thread, int Index, string? Value)>();
        for (var thread = 0; thread < operations.Length; thread++)
        {
            for (var index = 0; index < most[thread]; index++)
            {
                foreach (var change in operations[thread][index].Changes)
                {
                    if (change.Key == key) writes.Add((thread, index, change.Value));
                }
            }
        }

        // What is surely there and began last decides what may not be seen any more.
        var lastBegun = writes.Where(write => write.Index < fewest[write.Thread])
            .Select(write => history.BegunAt(write.Thread, write.Index)).DefaultIfEmpty(-1).Max();
        if (lastBegun < 0 && found == before.GetValueOrDefault(key)) return;
        if (writes.Exists(write => write.Value == found && history.AcknowledgedAt(write.Thread, write.Index) >= lastBegun)) return;
        throw new JudgeException(
            JudgeProblem.NoPrefix, $"'{key}' holds {Show(found)}, which was overwritten, or was never written, or is gone with its batch.");
    }

    IEnumerable<string> SharedKeysWritten() => operations.SelectMany(thread => thread).SelectMany(operation => operation.Changes)
        .Select(change => change.Key).Where(key => key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal)).Distinct();

    string Difference(int thread, int count, Dictionary<string, string> now)
    {
        var state = Own(thread, before);
        foreach (var (key, value) in operations[thread].Take(count).SelectMany(operation => operation.Changes))
        {
            if (!IsOwn(thread, key)) continue;
            if (value is null) state.Remove(key);
            else state[key] = value;
        }

        return string.Join('\n', state.Keys.Union(now.Keys).Order(StringComparer.Ordinal)
            .Where(key => state.GetValueOrDefault(key) != now.GetValueOrDefault(key)).Take(12)
            .Select(
                key =>
                    $"  '{key}' holds {Show(now.GetValueOrDefault(key))}, after {count} operations {Show(state.GetValueOrDefault(key))}"));
    }

    static Dictionary<string, string> Own(int thread, IReadOnlyDictionary<string, string> all) =>
        all.Where(pair => IsOwn(thread, pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value);

    static bool IsOwn(int thread, string key) => key.StartsWith(VictimWorkload.OwnPrefix(thread), StringComparison.Ordinal);

    static string Show(string? value) => value is null ? "nothing" : value.Length > 24 ? $"{value[..24]}... ({value.Length})" : value;
}
