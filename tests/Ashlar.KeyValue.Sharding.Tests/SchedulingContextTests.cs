using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>A caller's scheduling context is not asked for anything while the caller waits: it may be the thread that waits.</summary>
public sealed class SchedulingContextTests
{
    [Fact]
    public void Sync_and_backups_post_nothing_to_the_callers_context()
    {
        using var store = ShardedKeyValueStore.Open("/store", new()
        {
            ShardCount = 8,
            Store = new() { FileSystem = new SimulatedFileSystem(isRecording: false) },
        });
        var context = new CountingContext();
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            for (var i = 0; i < 50; i++)
            {
                for (var key = 0; key < 32; key++) store.Put([(byte)key], "x"u8, Durability.Relaxed);
                store.Sync();
            }

            store.BackUp("/backups");
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, context.Posts);
    }

    [Fact]
    public void Writes_that_are_waited_for_post_nothing_either()
    {
        using var store = ShardedKeyValueStore.Open("/store", new()
        {
            ShardCount = 8,
            Store = new() { FileSystem = new SimulatedFileSystem(isRecording: false) },
        });
        var context = new CountingContext();
        var isDone = false;
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            for (var i = 0; i < 200; i++)
            {
                var batch = new WriteBatch();
                for (var key = 0; key < 32; key++) batch.Put([(byte)key], "x"u8);
                store.WritePerShardAsync(batch, Durability.Sync).Wait();
                var single = new WriteBatch();
                single.Put([1], "y"u8);
                store.WriteAsync(single, Durability.Relaxed).AsTask().Wait();
            }

            Volatile.Write(ref isDone, true);
        });
        thread.Start();
        // Each closes the gate for writers for a moment.
        for (var i = 0; !Volatile.Read(ref isDone); i++) store.CreateSnapshot().Dispose();
        thread.Join();
        Assert.Equal(0, context.Posts);
    }

    // What is posted is done elsewhere: a fault shows as a count, not as a test that hangs.
    sealed class CountingContext : SynchronizationContext
    {
        int posts;

        public int Posts => Volatile.Read(ref posts);

        public override void Post(SendOrPostCallback d, object? state)
        {
            Interlocked.Increment(ref posts);
            ThreadPool.QueueUserWorkItem(_ => d(state));
        }
    }
}
