using Ashlar.KeyValue.Victim;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>Looks at a copy of what a death left, so that the next victim recovers the original.</summary>
static class StoreCopy
{
    /// <summary>What the store holds: it must open, verify clean, take writes, and hold the same when opened again.</summary>
    public static Dictionary<string, string> Read(string store, string copy, StoreKind kind)
    {
        if (Directory.Exists(copy)) Directory.Delete(copy, recursive: true);
        if (!Directory.Exists(store)) return [];
        CopyFiles(store, copy);
        Dictionary<string, string> found;
        using (var opened = Open(copy, kind))
        {
            found = opened.ReadAll();
            var report = opened.Verify();
            if (!report.IsClean)
                throw new JudgeException(
                    JudgeProblem.Damaged, $"Not clean: {string.Join('\n', report.Problems.Select(problem => problem.Message))}");
            opened.Put("after", "death", Durability.Sync);
        }

        using (var opened = VictimStore.Open(copy, kind))
        {
            if (opened.Get("after") is null) throw new JudgeException(JudgeProblem.Unstable, "A write after recovery is lost.");
            opened.Delete("after", Durability.Sync);
            var again = opened.ReadAll();
            if (again.Count != found.Count || again.Any(pair => found.GetValueOrDefault(pair.Key) != pair.Value))
                throw new JudgeException(JudgeProblem.Unstable, "The second opening finds other things than the first.");
        }

        Directory.Delete(copy, recursive: true);
        return found;
    }

    static VictimStore Open(string directory, StoreKind kind)
    {
        try
        {
            return VictimStore.Open(directory, kind);
        }
        catch (CorruptDataException damage)
        {
            throw new JudgeException(JudgeProblem.DoesNotOpen, damage.Message);
        }
    }

    static void CopyFiles(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        foreach (var directory in Directory.GetDirectories(source)) CopyFiles(directory, Path.Combine(target, Path.GetFileName(directory)));
    }
}
