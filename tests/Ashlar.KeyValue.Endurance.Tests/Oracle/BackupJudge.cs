using Ashlar.KeyValue.Victim;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>
/// Decides whether the backups that a death left hold. Whatever was reported as made is there, until its deletion is begun,
/// verifies clean, can be restored, and holds a prefix of history with all that was acknowledged before it began; later lives of the
/// store do not change it.
/// </summary>
sealed class BackupJudge(ulong seed, string target)
{
    readonly Dictionary<ulong, Dictionary<string, string>> known = [];
    readonly HashSet<ulong> doomed = []; // Their deletion was begun, perhaps by one that died: they may be there or not.

    /// <summary>Judges all backups of the store; returns how many were made since the last time.</summary>
    /// <exception cref="JudgeException">One is missing, damaged, or not what it should be.</exception>
    public int Require(VictimPlan plan, IReadOnlyDictionary<string, string> before, LifeHistory history)
    {
        if (plan.Kind != StoreKind.Collecting) return 0;
        doomed.UnionWith(history.DeletedBackups);
        var backups = new KeyValueBackups(plan.BackupDirectory);
        var numbers = Directory.Exists(plan.BackupDirectory) ? backups.List().Select(backup => backup.Number).ToHashSet() : [];
        foreach (var number in known.Keys
            .Concat(history.Backups.Where(backup => backup.DoneAt is not null).Select(backup => backup.Number)))
        {
            if (!numbers.Contains(number) && !doomed.Contains(number))
                throw new JudgeException(JudgeProblem.Backup, $"Backup {number} was made and is gone.");
        }

        var made = 0;
        foreach (var number in numbers)
        {
            var report = backups.Verify(number);
            if (!report.IsClean)
                throw new JudgeException(JudgeProblem.Backup, $"Backup {number} does not hold: {report.Problems[0].Message}");
            var found = Restore(backups, number);
            if (known.TryGetValue(number, out var earlier))
            {
                if (found.Count != earlier.Count || earlier.Any(pair => found.GetValueOrDefault(pair.Key) != pair.Value))
                    throw new JudgeException(JudgeProblem.Backup, $"Backup {number} holds something else than it did.");
            }
            else
            {
                known[number] = found;
                if (doomed.Contains(number)) continue;
                RequireMoment(plan, before, history, number, found);
                made++;
            }
        }

        return made;
    }

    void RequireMoment(
        VictimPlan plan, IReadOnlyDictionary<string, string> before, LifeHistory history, ulong number, Dictionary<string, string> found)
    {
        var run = history.Backups.Cast<BackupRun?>().LastOrDefault(backup => backup!.Value.Number == number)
            ?? history.Backups.Cast<BackupRun?>().LastOrDefault(backup => backup!.Value.DoneAt is null)
            ?? throw new JudgeException(JudgeProblem.Backup, $"Nobody made backup {number}.");
        try
        {
            new Judge(seed, plan.Life, before, history.Until(run.DoneAt ?? int.MaxValue), Death.None) { BackupBegunAt = run.BegunAt }
                .Require(found);
        }
        catch (JudgeException problem)
        {
            throw new JudgeException(JudgeProblem.Backup, $"Backup {number}: {problem.Message}");
        }
    }

    Dictionary<string, string> Restore(KeyValueBackups backups, ulong number)
    {
        if (Directory.Exists(target)) Directory.Delete(target, recursive: true);
        backups.Restore(number, target);
        using var restored = VictimStore.Open(target, StoreKind.Collecting);
        return restored.ReadAll();
    }
}
