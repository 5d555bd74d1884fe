namespace Ashlar.Storage.Tests;

/// <summary>
/// A caller's thread that is interrupted leaves nothing half done that others rely on: what it was about to wait for, a lock that somebody
/// else holds for a moment, it waits for all the same.
/// </summary>
public sealed class InterruptionTests
{
    const int Threads = 3, Calls = 20_000;

    [Fact]
    public void A_timer_is_set_although_the_thread_that_sets_it_is_interrupted()
    {
        using var timer = WorkerClock.Instance.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Assert.Empty(Interrupt(() => timer.Change(TimeSpan.FromDays(1), Timeout.InfiniteTimeSpan)));
    }

    [Fact]
    public void Whoever_waits_for_a_thread_to_end_waits_until_it_has_and_is_interrupted_afterwards()
    {
        using var mayEnd = new ManualResetEventSlim();
        using var waits = new ManualResetEventSlim();
        var hasEnded = false;
        var (hadEnded, wasInterrupted) = (false, false);
        var waitedFor = new Thread(() =>
        {
            mayEnd.Wait();
            Volatile.Write(ref hasEnded, true);
        });
        var waiter = new Thread(() =>
        {
            waits.Set();
            Uninterrupted.Join(waitedFor);
            hadEnded = Volatile.Read(ref hasEnded);
            wasInterrupted = TakeInterruption();
        });
        waitedFor.Start();
        waiter.Start();
        waits.Wait();
        waiter.Interrupt();
        mayEnd.Set();
        waiter.Join();
        Assert.True(hadEnded && wasInterrupted);
    }

    // What escapes on the first of several threads, which is interrupted all the time.
    static List<Exception> Interrupt(Action call)
    {
        var escaped = new List<Exception>();
        var (interruptions, done) = (0, 0);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            for (var i = 0; i < Calls; i++)
            {
                try
                {
                    call();
                }
                catch (Exception failure)
                {
                    escaped.Add(failure); // Others are not interrupted.
                }

                if (number == 0 && TakeInterruption()) interruptions++;
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
        Assert.True(interruptions > 0);
        return escaped;
    }

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
