using System.Text;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>What must hold of every disk that a power cut may leave.</summary>
static class CrashCheck
{
    public static void Run(CrashWorkload workload, CrashState state)
    {
        var promised = state.Marks.OfType<Promised>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
        var begun = state.Marks.OfType<Begun>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
        var options = CrashWorkload.Options(state.Disk, state.Seed);
        string recovered;
        using (var store = KeyValueStore.Open(CrashWorkload.Directory, options))
        {
            recovered = CrashWorkload.Describe(store);
            if (!workload.StepsWith(recovered).Any(step => step >= promised && step <= begun))
            {
                var steps = string.Join(',', workload.StepsWith(recovered));
                throw new InvalidOperationException(
                    $"""
                    Promised {promised}: {workload.ContentAt(promised)}
                    Begun {begun}: {workload.ContentAt(begun)}
                    Found (as after {steps}): {recovered}
                    """);
            }

            RequireClean(store);
        }

        state.RecoveryDone(); // Closing relies on what was recovered, too.
        using (var store = KeyValueStore.Open(CrashWorkload.Directory, options))
        {
            if (CrashWorkload.Describe(store) is var again && again != recovered)
                throw new InvalidOperationException($"The second opening found {again}, the first {recovered}");
            store.Put("new"u8, "1000000"u8);
        }

        using (var store = KeyValueStore.Open(CrashWorkload.Directory, options))
        {
            if (!store.Get("new"u8).AsSpan().SequenceEqual("1000000"u8))
                throw new InvalidOperationException("A write after recovery is lost.");
            store.Delete("new"u8);
            if (CrashWorkload.Describe(store) is var last && last != recovered)
                throw new InvalidOperationException($"After a further write {last} is found, before {recovered}");
            RequireClean(store);
        }
    }

    static void RequireClean(KeyValueStore store)
    {
        var report = store.Verify();
        if (!report.IsClean)
            throw new InvalidOperationException(string.Join('\n', report.Problems.Select(problem => problem.Message)));
    }
}
