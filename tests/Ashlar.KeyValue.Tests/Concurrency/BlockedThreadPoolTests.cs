namespace Ashlar.KeyValue.Tests;

/// <summary>Whoever shares the process may block every thread of the .NET thread pool: writes go on all the same.</summary>
[Collection(nameof(BlockedThreadPoolTests)), CollectionDefinition(nameof(BlockedThreadPoolTests), DisableParallelization = true)]
[Trait("disk", "any")]
public sealed class BlockedThreadPoolTests
{
    const int Threads = 4, Rounds = 50;

    [Fact]
    public void Writes_of_several_threads_complete_while_the_thread_pool_is_blocked()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk(), inline: false));
        WhileThreadPoolIsBlocked(() => RunThreads(thread =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                store.Put($"{thread} {i}", "blocking");
                using var done = new ManualResetEventSlim();
                _ = WriteThenSetAsync(store, $"{thread} {i}", done);
                done.Wait();
            }
        }));
        Assert.Equal((ulong)(2 * Threads * Rounds), store.DurableSequence);
    }

    [Fact]
    public void Relaxed_writes_can_be_waited_for_while_the_thread_pool_is_blocked()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk(), inline: false));
        WhileThreadPoolIsBlocked(() =>
        {
            store.Put("a", "relaxed", Durability.Relaxed);
            using var done = new ManualResetEventSlim();
            _ = SetWhenDurableAsync(store, done);
            store.Sync();
            done.Wait();
        });
    }

    [Fact]
    public void Relaxed_writes_become_durable_in_their_time_while_the_thread_pool_is_blocked()
    {
        using var store = KeyValueStore.Open(
            TestStore.Directory,
            TestStore.Small(TestStore.AnyDisk(), inline: false) with
            {
                TimeProvider = TimeProvider.System,
                RelaxedLossTime = TimeSpan.FromMilliseconds(20),
            });
        WhileThreadPoolIsBlocked(() =>
        {
            store.Put("a", "relaxed", Durability.Relaxed);
            SpinWait.SpinUntil(() => store.DurableSequence == store.VisibleSequence);
        });
    }

    static async Task WriteThenSetAsync(KeyValueStore store, string key, ManualResetEventSlim done)
    {
        await store.PutAsync(TestStore.Bytes(key), "asynchronous"u8);
        done.Set();
    }

    static async Task SetWhenDurableAsync(KeyValueStore store, ManualResetEventSlim done)
    {
        await store.WaitDurableAsync(store.VisibleSequence);
        done.Set();
    }

    static void RunThreads(Action<int> run)
    {
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() => run(number))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    // What is queued last shows at the end that no thread of the pool was free in between.
    static void WhileThreadPoolIsBlocked(Action action)
    {
        using var isOver = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out var minWorkers, out var minPorts);
        ThreadPool.GetMaxThreads(out var maxWorkers, out var maxPorts);
        var queued = 0; // Counted as it is queued: what the pool has taken need not have begun.
        var wasFree = false;
        try
        {
            Assert.True(ThreadPool.SetMinThreads(1, minPorts));
            Assert.True(ThreadPool.SetMaxThreads(Environment.ProcessorCount, maxPorts));
            for (var waiting = 0; waiting < 20; waiting = ThreadPool.PendingWorkItemCount == 0 ? 0 : waiting + 1)
            {
                Queue(isOver.Wait);
                Thread.Sleep(5);
            }

            Queue(() => wasFree = !isOver.IsSet);
            action();
        }
        finally
        {
            isOver.Set();
            ThreadPool.SetMaxThreads(maxWorkers, maxPorts);
            ThreadPool.SetMinThreads(minWorkers, minPorts);
        }

        SpinWait.SpinUntil(() => Volatile.Read(ref queued) == 0);
        Assert.False(wasFree);

        void Queue(Action work)
        {
            Interlocked.Increment(ref queued);
            ThreadPool.QueueUserWorkItem(_ =>
            {
                work();
                Interlocked.Decrement(ref queued);
            });
        }
    }
}
