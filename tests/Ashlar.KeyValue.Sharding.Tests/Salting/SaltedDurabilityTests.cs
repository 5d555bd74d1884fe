namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>What is written together is as durable as the strictest of its writers asked for.</summary>
public sealed class SaltedDurabilityTests
{
    [Theory, InlineData(Durability.Relaxed), InlineData(Durability.Unflushed)]
    public async Task A_relaxed_write_keeps_its_bound_whoever_it_is_written_with(Durability leader)
    {
        var disk = TestStore.NewDisk();
        var clock = new Simulation.SimulatedClock();
        using var store = ShardedKeyValueStore.Open(TestStore.Directory, new()
        {
            ShardCount = 1,
            SaltedPrefix = "hot/"u8.ToArray(),
            Store = TestStore.Small(disk) with { TimeProvider = clock, MemTableBytes = 1 << 20, RelaxedLossTime = TimeSpan.FromSeconds(1) },
        });
        store.Put("hot/base", "0");
        using var mayReturn = new ManualResetEventSlim();
        using var began = new SemaphoreSlim(0);
        disk.DuringSync = _ =>
        {
            began.Release();
            mayReturn.Wait();
        };
        var first = Task.Factory.StartNew(
            () => store.Put("hot/first", "1"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await began.WaitAsync();
        var second = store.WriteAsync(Batch("hot/leader"), leader).AsTask();
        var third = store.WriteAsync(Batch("hot/relaxed"), Durability.Relaxed).AsTask();
        disk.DuringSync = null;
        mayReturn.Set();
        await Task.WhenAll(first, second, third);
        clock.Advance(TimeSpan.FromSeconds(1));
        SpinWait.SpinUntil(() => store.DurableSequences[0] == store.VisibleSequences[0]); // Nobody but the timer asks for it.
    }

    static WriteBatch Batch(string key)
    {
        var batch = new WriteBatch();
        batch.Put(TestStore.Bytes(key), "1"u8);
        return batch;
    }
}
