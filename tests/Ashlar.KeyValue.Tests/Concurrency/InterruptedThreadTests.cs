using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>A thread of the caller is interrupted while it leads the writes of others.</summary>
[Trait("disk", "any")]
public sealed class InterruptedThreadTests
{
    const int Threads = 4, Puts = 20_000;

    [Fact]
    public void A_thread_that_is_interrupted_harms_nobody()
    {
        using var directory = new TemporaryDirectory(); // The simulated disk has locks of its own.
        using var store = KeyValueStore.Open(directory["store"], new KeyValueOptions
        {
            FileSystem = RealDisk.Door,
            MemTableBytes = 256 << 10,
            TableBytes = 256 << 10,
            LogSegmentBytes = 1 << 20,
        });
        var (interruptions, done) = (0, 0);
        var problems = new List<string>();
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            for (var i = 0; i < Puts; i++)
            {
                try
                {
                    store.Put($"{number} {i % 1000:d4}", new string('x', 300), Durability.Relaxed);
                }
                catch (Exception failure)
                {
                    lock (problems) problems.Add($"thread {number}: {failure}");
                }

                if (number == 0) interruptions += TakeInterruption() ? 1 : 0;
            }

            Interlocked.Increment(ref done);
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        while (Volatile.Read(ref done) < Threads)
        {
            threads[0].Interrupt();
            Thread.Sleep(0);
        }

        foreach (var thread in threads) thread.Join();
        Assert.Empty(problems);
        Assert.True(interruptions > 0);
        store.Put("after", "x");
        Assert.Null(store.Failure);
        Assert.Equal((ulong)((Threads * Puts) + 1), store.VisibleSequence);
        Assert.Empty(store.Verify().Problems);
    }

    // What was kept from the thread while it wrote, its own next wait gets.
    static bool TakeInterruption()
    {
        try
        {
            Thread.Sleep(0);
            return false;
        }
        catch (ThreadInterruptedException)
        {
            return true;
        }
    }
}
