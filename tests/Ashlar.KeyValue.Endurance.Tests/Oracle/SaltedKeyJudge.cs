using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>
/// A salted key holds what it held before or what somebody wrote, and nothing that was overwritten by a write that is promised and
/// began after the other had returned. It is atomic with nothing else.
/// </summary>
sealed class SaltedKeyJudge(
    VictimPlan plan, IReadOnlyDictionary<string, string> before, LifeHistory history, Death death,
    Func<ulong, int, int, int, VictimOperation>? operationOf = null)
{
    readonly Func<ulong, int, int, int, VictimOperation> operationOf = operationOf ?? VictimWorkload.Operation;

    public static bool IsSalted(string key) => key.StartsWith(VictimWorkload.SharedPrefix, StringComparison.Ordinal);

    public void Require(IReadOnlyDictionary<string, string> found)
    {
        var writes = new List<(string Key, string? Value, int Begun, int Returned, bool IsPromised)>();
        var lastSync = LastSync();
        for (var thread = 0; thread < VictimWorkload.Threads; thread++)
        {
            for (var index = 0; index < history.BegunBy(thread); index++)
            {
                var operation = operationOf(plan.Seed, plan.Life, thread, index);
                var (begun, returned) = (history.BegunAt(thread, index), history.AcknowledgedAt(thread, index));
                var isPromised = returned < int.MaxValue
                    && (death != Death.OfTheMachine || operation.Durability == Durability.Sync || returned < lastSync);
                foreach (var change in operation.Changes.Where(change => IsSalted(change.Key)))
                    writes.Add((change.Key, change.Value, begun, returned, isPromised));
            }
        }

        foreach (var key in before.Keys.Concat(found.Keys).Where(IsSalted).Concat(writes.Select(write => write.Key)).Distinct())
        {
            var value = found.GetValueOrDefault(key);
            var lastPromised = writes.Where(write => write.Key == key && write.IsPromised)
                .Select(write => write.Begun).DefaultIfEmpty(-1).Max();
            if (lastPromised < 0 && value == before.GetValueOrDefault(key)) continue;
            if (writes.Exists(write => write.Key == key && write.Value == value && write.Returned >= lastPromised)) continue;
            throw new JudgeException(
                JudgeProblem.NoPrefix, $"The salted key '{key}' holds {value ?? "nothing"}, which was overwritten, or was never written.");
        }
    }

    // A completed call of Sync, or an orderly close, vouches for what had returned before it began.
    int LastSync()
    {
        var last = history.ClosedAt ?? -1;
        for (var thread = 0; thread < VictimWorkload.Threads; thread++)
        {
            for (var index = 0; index < history.BegunBy(thread); index++)
            {
                if (history.AcknowledgedAt(thread, index) == int.MaxValue) continue;
                if (operationOf(plan.Seed, plan.Life, thread, index).IsSync) last = Math.Max(last, history.BegunAt(thread, index));
            }
        }

        return last;
    }
}
