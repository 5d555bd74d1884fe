using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Power cuts while the disk is full: what was kept for that day is given up, deletes go on, and merges give space back step by step,
/// each with an edit of its own.
/// </summary>
public sealed class FullDiskCrashTests(ITestOutputHelper output)
{
    sealed record Begun(int Step);

    sealed record Promised(int Step);

    [Theory, InlineData(1), InlineData(2)]
    public void A_power_cut_on_a_full_disk_leaves_a_prefix_with_all_that_was_promised(ulong seed)
    {
        var workload = new Workload(seed, cycles: 2);
        var result = CrashExplorer.Explore(
            disk => workload.Run(disk), workload.Check, new CrashExplorerOptions { Seed = seed, StateBudget = 500, NestedOneIn = 80, NestedBudget = 5 });
        output.WriteLine($"seed {seed}: {workload.Refusals} puts refused, {workload.Steps} changes, {result}");
        Assert.Equal(2, workload.Refusals);
        Assert.Equal(result.Points, result.CoveredPoints);
    }

    [Fact]
    public void A_step_of_a_merge_in_two_edits_is_noticed()
    {
        Assert.Throws<CrashCheckException>(() => PlantedBugs.StepInTwoEdits.Run(static () =>
        {
            var workload = new Workload(1, cycles: 1);
            var options = new CrashExplorerOptions { StateBudget = 5000, NestedOneIn = 0, Replay = null };
            return CrashExplorer.Explore(disk => workload.Run(disk), workload.Check, options);
        }));
    }

    sealed class Workload(ulong seed, int cycles)
    {
        // What the store holds after each change is remembered as the sum of what stands for its keys with their values.
        readonly Dictionary<ulong, List<int>> stepsBySum = new() { [0] = [0] };
        readonly Dictionary<string, string> model = [];
        ulong sum;

        public int Steps { get; private set; }

        public int Refusals { get; private set; }

        public void Run(SimulatedFileSystem disk)
        {
            disk.CapacityBytes = 230 << 10;
            var random = new SeededRandom(seed);
            using var store = KeyValueStore.Open(TestStore.Directory, Options(disk, seed));
            for (var cycle = 0; cycle < cycles; cycle++)
            {
                while (TryPut(disk, store, $"{random.Next(2000):d4}", $"{Steps}".PadLeft(random.Next(50, 350), '.')))
                {
                }

                foreach (var key in model.Keys.Where(key => !key.EndsWith('7')).ToArray()) Delete(disk, store, key);
                store.Compact();
            }

            store.Sync();
            disk.Mark(new Promised(Steps));
        }

        public void Check(CrashState state)
        {
            var promised = state.Marks.OfType<Promised>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
            var begun = state.Marks.OfType<Begun>().Select(mark => mark.Step).DefaultIfEmpty(0).Max();
            using var store = KeyValueStore.Open(TestStore.Directory, Options(state.Disk, state.Seed));
            state.RecoveryDone();
            var found = 0UL;
            using (var cursor = store.Scan(KeyRange.All))
            {
                while (cursor.MoveNext()) found += Term(Encoding.UTF8.GetString(cursor.Key), Encoding.UTF8.GetString(cursor.Value));
            }

            if (!stepsBySum.GetValueOrDefault(found, []).Exists(step => step >= promised && step <= begun))
                throw new InvalidOperationException($"What is found was never there between change {promised} and change {begun}.");
            var report = store.Verify();
            if (!report.IsClean) throw report.Problems[0];
        }

        bool TryPut(SimulatedFileSystem disk, KeyValueStore store, string key, string value)
        {
            // A put that is refused must leave nothing, so it is no change.
            disk.Mark(new Begun(Steps + 1));
            var before = model.GetValueOrDefault(key);
            Remember(key, before, value);
            try
            {
                store.Put(key, value, Durability.Relaxed);
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                Forget(key, before, value);
                Refusals++;
                return false;
            }

            Promise(disk, store);
            return true;
        }

        void Delete(SimulatedFileSystem disk, KeyValueStore store, string key)
        {
            disk.Mark(new Begun(Steps + 1));
            Remember(key, model.GetValueOrDefault(key), null);
            store.Delete(TestStore.Bytes(key), Durability.Relaxed);
            Promise(disk, store);
        }

        void Promise(SimulatedFileSystem disk, KeyValueStore store)
        {
            if (Steps % 50 != 0) return;
            store.Sync();
            disk.Mark(new Promised(Steps));
        }

        void Remember(string key, string? before, string? after)
        {
            Steps++;
            Change(key, before, after);
            if (!stepsBySum.TryGetValue(sum, out var steps)) stepsBySum[sum] = steps = [];
            steps.Add(Steps);
        }

        void Forget(string key, string? before, string value)
        {
            stepsBySum[sum].Remove(Steps--);
            Change(key, value, before);
        }

        void Change(string key, string? before, string? after)
        {
            if (before is not null) sum -= Term(key, before);
            if (after is not null) sum += Term(key, after);
            if (after is null) model.Remove(key);
            else model[key] = after;
        }

        static ulong Term(string key, string value)
        {
            var term = 14695981039346656037UL;
            foreach (var letter in $"{key}={value}") term = (term ^ letter) * 1099511628211;
            return new SeededRandom(term).NextUInt64();
        }

        KeyValueOptions Options(SimulatedFileSystem disk, ulong entropy) => TestStore.Small(disk) with
        {
            Entropy = new SeededEntropy(entropy),
            SpaceReserveBytes = 100 << 10,
            LogChunkBytes = 4096,
            ManifestRewriteBytes = 4096,
            // Otherwise heads of blocks, and what tables take of their last pages, are what fills so small a disk.
            BlockBytes = 2048,
            TableBytes = 7 << 10,
        };
    }
}
