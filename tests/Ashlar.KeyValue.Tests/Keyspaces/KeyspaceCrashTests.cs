using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>Power cuts and deaths at every point of workloads that open, fill and drop keyspaces, and write over several at once.</summary>
public sealed class KeyspaceCrashTests(ITestOutputHelper output)
{
    const string Directory = "/data/store";
    const int Operations = 50;

    static readonly string[] Names = ["users", "orders"];

    [Fact]
    public void Whatever_a_crash_leaves_is_what_was_there_between_two_operations()
    {
        var first = TestSeeds.First(nameof(Whatever_a_crash_leaves_is_what_was_there_between_two_operations));
        var isReplay = new CrashExplorerOptions().Replay is not null;
        var workloads = isReplay ? 1 : TestTier.Choose(2, 40);
        var (distinct, nested, deaths) = (0L, 0L, 0L);
        Parallel.For(0, workloads, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var seed = first + (ulong)number;
            var states = new List<string> { "" };
            var result = CrashExplorer.Explore(
                disk => Run(disk, seed, states), state => Check(state, states),
                new CrashExplorerOptions { Seed = seed, StateBudget = 800, NestedOneIn = 40, NestedBudget = 5, KilledOneIn = 20 });
            Interlocked.Add(ref distinct, result.Images);
            Interlocked.Add(ref nested, result.Nested);
            Interlocked.Add(ref deaths, result.Deaths);
        });
        if (!isReplay) Assert.True(distinct >= workloads * 500L && nested >= workloads * 20L, $"only {distinct} and {nested} disks");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "keyspace crash states", seed = first, workloads, distinct, nested, deaths, failures = 0 }));
    }

    // A mark of n: what is there is states[n], or one before that which was not promised to be over; -n: states[n] is promised.
    static void Run(SimulatedFileSystem disk, ulong seed, List<string> states)
    {
        var random = SeededRandom.For(seed, "operations");
        var model = new SortedDictionary<string, SortedDictionary<string, string>>(StringComparer.Ordinal);
        using var store = KeyValueStore.Open(Directory, Options(disk, seed));
        for (var operation = 1; operation <= Operations; operation++)
        {
            var name = random.Pick(Names);
            Action act;
            if (model.ContainsKey(name) && random.OneIn(8))
            {
                model.Remove(name);
                act = () => Assert.True(store.DropKeyspace(name));
            }
            else if (!model.ContainsKey(name))
            {
                model[name] = new(StringComparer.Ordinal);
                act = () => store.OpenKeyspace(name);
            }
            else
            {
                act = Write(store, random, model, operation);
            }

            states.Add(Describe(model));
            disk.Mark(operation);
            act();
            disk.Mark(-operation);
            if (random.OneIn(15)) store.Flush();
            if (random.OneIn(25)) store.Compact();
        }
    }

    static Action Write(
        KeyValueStore store, SeededRandom random, SortedDictionary<string, SortedDictionary<string, string>> model, int operation)
    {
        var batch = new WriteBatch();
        foreach (var (name, content) in model)
        {
            var keyspace = store.OpenKeyspace(name);
            if (random.OneIn(5))
            {
                batch.DeleteRange(keyspace, KeyRange.Before("k4"u8));
                foreach (var gone in content.Keys.Where(key => string.CompareOrdinal(key, "k4") < 0).ToArray()) content.Remove(gone);
            }

            for (var count = random.Next(1, 4); count > 0; count--)
            {
                var (key, value) = ($"k{random.Next(8)}", $"{operation}".PadLeft(random.Next(2, 90), '.'));
                batch.Put(keyspace, TestStore.Bytes(key), TestStore.Bytes(value));
                content[key] = value;
            }
        }

        return () => store.Write(batch);
    }

    static void Check(CrashState state, List<string> states)
    {
        var begun = state.Marks.OfType<int>().Append(0).Max();
        var promised = -state.Marks.OfType<int>().Append(0).Min();
        using var store = KeyValueStore.Open(Directory, Options(state.Disk, state.Seed));
        state.RecoveryDone();
        var found = Describe(Read(store));
        var isKnown = false;
        for (var operation = promised; operation <= begun && !isKnown; operation++) isKnown = states[operation] == found;
        if (!isKnown) throw new InvalidOperationException($"Between {promised} and {begun} it never held {found}");
        if (store.ReadAll().Length > 0) throw new InvalidOperationException("What is in keyspaces shows outside of them.");
        if (!store.Verify().IsClean) throw store.Verify().Problems[0];
        var fresh = store.OpenKeyspace("fresh");
        using var cursor = fresh.Scan(KeyRange.All);
        if (cursor.MoveNext()) throw new InvalidOperationException("A new keyspace has keys: its number was another's.");
    }

    static SortedDictionary<string, SortedDictionary<string, string>> Read(KeyValueStore store)
    {
        var found = new SortedDictionary<string, SortedDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var name in store.ListKeyspaces())
        {
            var content = found[name] = new(StringComparer.Ordinal);
            using var cursor = store.FindKeyspace(name)!.Scan(KeyRange.All);
            while (cursor.MoveNext()) content[Encoding.UTF8.GetString(cursor.Key)] = Encoding.UTF8.GetString(cursor.Value);
        }

        return found;
    }

    static string Describe(SortedDictionary<string, SortedDictionary<string, string>> model) => string.Join(
        "; ", model.Select(space => $"{space.Key}: {string.Join(' ', space.Value.Select(entry => $"{entry.Key}={entry.Value}"))}"));

    static KeyValueOptions Options(SimulatedFileSystem disk, ulong entropy) =>
        TestStore.Tiny(disk, entropy) with { RelaxedLossTime = TimeSpan.FromDays(1000) };
}
