using Ashlar.TestKit;

namespace Ashlar.Storage.Tests;

public sealed class WorkerThreadsTests
{
    static readonly TimeSpan Never = Timeout.InfiniteTimeSpan;
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void Work_runs_in_the_order_in_which_it_was_posted()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1);
        var order = new List<int>();
        using var done = new CountdownEvent(1000);
        for (var i = 0; i < 1000; i++)
        {
            threads.Post(
                number =>
                {
                    order.Add(number);
                    done.Signal();
                },
                i);
        }

        done.Wait();
        Assert.Equal(Enumerable.Range(0, 1000), order);
    }

    [Fact]
    public void It_runs_on_threads_of_its_own()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1);
        using var done = new ManualResetEventSlim();
        var (name, isPool, isBackground) = ("", true, false);
        threads.Post(
            _ =>
            {
                (name, isPool, isBackground) =
                    (Thread.CurrentThread.Name!, Thread.CurrentThread.IsThreadPoolThread, Thread.CurrentThread.IsBackground);
                done.Set();
            },
            0);
        done.Wait();
        Assert.Equal(("test", false, true), (name, isPool, isBackground));
    }

    [Fact]
    public void As_much_blocking_work_runs_at_a_time_as_there_may_be_threads()
    {
        using var threads = new WorkerThreads("test", threadLimit: 20);
        using var together = new Barrier(20);
        using var done = new CountdownEvent(100);
        for (var i = 0; i < 100; i++)
        {
            threads.Post(
                _ =>
                {
                    together.SignalAndWait(); // Nobody passes before twenty have come.
                    done.Signal();
                },
                i);
        }

        done.Wait();
        Assert.Equal(20, threads.ThreadCount);
    }

    // Threads that end after a moment end just as work is posted, again and again.
    [Theory, Seeds(count: 4)]
    public void No_work_is_left_behind_however_threads_come_and_go(ulong seed)
    {
        const int Posters = 4, Rounds = 5000;
        using var threads = new WorkerThreads("test", threadLimit: 3, idleTime: TimeSpan.FromTicks(1));
        using var done = new CountdownEvent(Posters * Rounds);
        var posters = Enumerable.Range(0, Posters).Select(number => new Thread(() =>
        {
            var random = new Ashlar.Simulation.SeededRandom(seed + (ulong)number);
            using var last = new ManualResetEventSlim();
            for (var i = 0; i < Rounds; i++)
            {
                last.Reset();
                threads.Post(
                    signal =>
                    {
                        done.Signal();
                        signal.Set();
                    },
                    last);
                if (random.Next(4) == 0) last.Wait(); // Lets the queue run empty.
            }

            last.Wait();
        })).ToList();
        posters.ForEach(poster => poster.Start());
        posters.ForEach(poster => poster.Join());
        done.Wait();
        Assert.Equal(0, threads.QueuedCount);
    }

    [Fact]
    public void Threads_without_work_end_but_for_one_and_come_back_with_it()
    {
        using var threads = new WorkerThreads("test", threadLimit: 4, idleTime: Soon);
        for (var round = 0; round < 3; round++)
        {
            using var together = new Barrier(5);
            for (var i = 0; i < 4; i++) threads.Post(barrier => barrier.SignalAndWait(), together);
            together.SignalAndWait();
            SpinWait.SpinUntil(() => threads.ThreadCount == 1);
        }
    }

    [Fact]
    public void Work_that_throws_is_reported_and_others_go_on()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1);
        using var done = new ManualResetEventSlim();
        var reported = new List<(object? Sender, object Failure, bool IsTerminating)>();
        WorkerThreads.UnhandledWork += Report;
        var bug = new InvalidOperationException("a bug");
        threads.Post<Exception>(error => throw error, bug);
        threads.Post(signal => signal.Set(), done);
        done.Wait();
        WorkerThreads.UnhandledWork -= Report;
        Assert.Equal([(threads, bug, false)], reported);

        void Report(object? sender, UnhandledExceptionEventArgs failure)
        {
            if (sender == threads) reported.Add((sender, failure.ExceptionObject, failure.IsTerminating));
        }
    }

    [Fact]
    public void Work_behind_work_that_is_stuck_gets_a_thread_in_the_end()
    {
        using var threads = new WorkerThreads("test", threadLimit: 2, stuckThreadLimit: 10);
        using var release = new ManualResetEventSlim();
        using var done = new CountdownEvent(5);
        for (var i = 0; i < 5; i++)
        {
            threads.Post(
                _ =>
                {
                    release.Wait();
                    done.Signal();
                },
                i);
        }

        threads.Post(signal => signal.Set(), release); // What all the others wait for is queued behind them.
        done.Wait();
    }

    [Fact]
    public void Reads_that_hang_on_one_disk_do_not_stop_those_of_another()
    {
        using var isBack = new ManualResetEventSlim();
        using var hanging = new CountdownEvent(66);
        for (var i = 0; i < 66; i++)
        {
            WorkerThreads.Blocking.Post(
                _ =>
                {
                    isBack.Wait();
                    hanging.Signal();
                },
                i);
        }

        using var isRead = new ManualResetEventSlim();
        WorkerThreads.Blocking.Post(read => read.Set(), isRead);
        isRead.Wait();
        Assert.Equal(66, hanging.CurrentCount);
        isBack.Set();
        hanging.Wait();
    }

    [Fact]
    public async Task What_awaited_work_throws_is_thrown_to_whoever_awaits_it()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1);
        var name = "";
        await threads.RunAsync(_ => name = Thread.CurrentThread.Name, 0);
        Assert.Equal("test", name);
        var cause = new InvalidOperationException("the cause");
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await threads.RunAsync(error => throw error, cause));
        Assert.Same(cause, thrown);
    }

    [Fact]
    public void Posting_allocates_nothing()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1, idleTime: Never);
        using var done = new SemaphoreSlim(0);
        var item = new Item(done);
        Action<object?> action = static state => ((SemaphoreSlim)state!).Release();
        var bytes = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                threads.Post(item);
                threads.Post(action, done);
                threads.Post(item);
                for (var posted = 0; posted < 3; posted++) done.Wait();
            }
        });
        Assert.Equal(0, bytes);
    }

    [Fact]
    public void What_work_leaves_in_its_context_does_not_reach_the_next()
    {
        using var threads = new WorkerThreads("test", threadLimit: 1);
        using var done = new ManualResetEventSlim();
        var local = new AsyncLocal<string> { Value = "of the poster" };
        var seen = new List<string?>();
        threads.Post(
            values =>
            {
                values.Add(local.Value);
                local.Value = "left behind";
            },
            seen);
        threads.Post(
            values =>
            {
                values.Add(local.Value);
                done.Set();
            },
            seen);
        done.Wait();
        Assert.Equal([null, null], seen);
    }

    [Fact]
    public void A_set_that_is_disposed_of_does_what_is_queued_and_takes_no_more()
    {
        var threads = new WorkerThreads("test", threadLimit: 1);
        using var release = new ManualResetEventSlim();
        using var done = new CountdownEvent(10);
        threads.Post(signal => signal.Wait(), release);
        for (var i = 0; i < 10; i++) threads.Post(count => count.Signal(), done);
        threads.Dispose();
        release.Set();
        done.Wait();
        SpinWait.SpinUntil(() => threads.ThreadCount == 0);
        Assert.Throws<ObjectDisposedException>(() => threads.Post(count => count.Signal(), done));
    }

    sealed class Item(SemaphoreSlim done) : IThreadPoolWorkItem
    {
        public void Execute() => done.Release();
    }
}
