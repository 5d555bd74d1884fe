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
