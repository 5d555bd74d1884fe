using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>Power cuts at every point of a bounded cache's life, also while a bound is set for what was there without one.</summary>
public sealed class EvictionCrashTests
{
    [Fact]
    public void Entries_and_their_records_survive_together()
    {
        var disk = new SimulatedFileSystem();
        var clock = new SimulatedClock();
        var test = new TestCache(options => options.MaxBytes = null, disk, clock);
        for (var i = 0; i < 12; i++) test.Set($"{i}", new string('a', 300), TestCache.For(TimeSpan.FromHours(1 + i)));
        test.Close();
        test.Open(options => options.MaxBytes = 5000);
        for (var i = 0; i < 12; i++)
        {
            test.Set($"{i % 5}", new string('b', 200 + (100 * i)), i % 2 == 0 ? new() : TestCache.For(TimeSpan.FromHours(2)));
            if (i % 3 == 0) test.Cache.Remove($"{i}");
            if (i % 4 == 0) test.Store.Sync();
        }

        test.Cache.Clear();
        for (var i = 0; i < 4; i++) test.Set($"{i}", new string('c', 500));
        test.Close();
        var withMark = 0;
        var result = CrashExplorer.Explore(
            disk,
            state =>
            {
                var isMarked = IsMarked(state.Disk, clock);
                if (isMarked) withMark++;
                using var survivor = new TestCache(options => options.MaxBytes = 5000, state.Disk, clock);
                state.RecoveryDone();
                survivor.RequireQueueIsExact();
                if (survivor.Cache.GetStatistics().UsedBytes > 5000) throw new InvalidOperationException("The bound is not kept.");
                for (var i = 0; i < 12; i++)
                {
                    if (survivor.Get($"{i}") is { } value && value.Distinct().Count() != 1)
                        throw new InvalidOperationException($"Entry {i} is not what was set.");
                }

                survivor.Set("next", "value");
                survivor.RequireQueueIsExact();
            },
            new CrashExplorerOptions { Seed = 1, StateBudget = TestTier.Choose(250, 5_000), NestedOneIn = 0 });
        Assert.True(result.States > 100, $"only {result.States} states");
        Assert.True(withMark > 20, $"only {withMark} states have a queue");
    }

    // As it was found, before a cache is created that would mend it.
    static bool IsMarked(SimulatedFileSystem disk, SimulatedClock clock)
    {
        if (!disk.FileExists($"{TestCache.Directory}/MANIFEST")) return false;
        using var store = KeyValueStore.Open(TestCache.Directory, TestCache.StoreOptions(disk, clock) with { ReadOnly = true });
        return store.Get(new CacheKeys("cache/").QueueMark) is not null;
    }
}
