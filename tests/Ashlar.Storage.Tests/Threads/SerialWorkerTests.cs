namespace Ashlar.Storage.Tests;

public sealed class SerialWorkerTests
{
    [Fact]
    public void What_is_asked_for_during_a_run_becomes_one_more()
    {
        var runs = 0;
        using var begun = new SemaphoreSlim(0);
        using var release = new SemaphoreSlim(0);
        using (var worker = new SerialWorker(() =>
        {
            runs++;
            begun.Release();
            release.Wait();
            return default;
        }))
        {
            worker.Wake();
            begun.Wait();
            for (var i = 0; i < 10; i++) worker.Wake();
            release.Release(2);
        }

        Assert.Equal(2, runs);
    }

    [Fact]
    public void Disposing_of_it_waits_for_what_was_asked_for_and_ends_it()
    {
        var runs = 0;
        var worker = new SerialWorker(() =>
        {
            Thread.Sleep(1);
            runs++;
            return default;
        });
        worker.Wake();
        worker.Dispose();
        Assert.Equal(1, runs);
        Assert.Throws<ObjectDisposedException>(worker.Wake);
        using (InlineWaits.Allow()) Assert.Throws<ObjectDisposedException>(() => worker.WakeOrEnter());
    }

    [Fact]
    public void It_runs_on_a_thread_that_may_wait_and_says_so_and_never_where_it_may_not()
    {
        var (thread, mayWait) = (0, false);
        using var done = new SemaphoreSlim(0);
        using var worker = new SerialWorker(() =>
        {
            (thread, mayWait) = (Environment.CurrentManagedThreadId, InlineWaits.AreAllowed);
            done.Release();
            return default;
        });

        Assert.False(worker.WakeOrEnter());
        done.Wait();
        Assert.True(mayWait);
        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);

        using (InlineWaits.Allow())
        {
            worker.Wake();
            done.Wait();
            Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
            SpinWait.SpinUntil(worker.WakeOrEnter); // Until the run before has ended altogether.
            var waits = InlineWaits.Count;
            worker.RunHere();
            Assert.Equal(waits + 1, InlineWaits.Count);
        }

        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public void What_is_asked_for_while_a_caller_runs_it_is_run_elsewhere()
    {
        var threads = new List<int>();
        using (var worker = new Reentrant(threads))
        using (InlineWaits.Allow())
        {
            Assert.True(worker.Worker.WakeOrEnter());
            worker.Worker.RunHere();
        }

        Assert.Equal(2, threads.Count);
        Assert.Equal(Environment.CurrentManagedThreadId, threads[0]);
        Assert.NotEqual(Environment.CurrentManagedThreadId, threads[1]);
    }

    // The last waiter goes on on the thread of the run: the worker must do without it by then.
    [Fact]
    public async Task One_who_blocks_after_a_run_holds_up_no_other()
    {
        SharedCompletion? waiters = null;
        using var mayRun = new SemaphoreSlim(0);
        using var worker = new SerialWorker(() =>
        {
            mayRun.Wait();
            return new(Interlocked.Exchange(ref waiters, null));
        });
        using var release = new ManualResetEventSlim();
        var blockers = new List<Task>();
        for (var i = 0; i < 8; i++)
        {
            blockers.Add(BlockAfterAsync(Ask())); // It waits before its run may end: otherwise it would block this thread.
            mayRun.Release();
            var next = Ask().AsTask();
            mayRun.Release();
            await next;
        }

        Assert.All(blockers, blocker => Assert.False(blocker.IsCompleted));
        release.Set();
        await Task.WhenAll(blockers);

        ValueTask Ask()
        {
            var mine = new SharedCompletion();
            SpinWait.SpinUntil(() => Interlocked.CompareExchange(ref waiters, mine, null) is null);
            worker.Wake();
            return mine.Task;
        }

        async Task BlockAfterAsync(ValueTask run)
        {
            await run.ConfigureAwait(false);
            release.Wait();
        }
    }

    [Fact]
    public async Task Waiters_get_the_failure_of_their_run()
    {
        var waiters = new SharedCompletion();
        using var worker = new SerialWorker(() => new(waiters, new InvalidOperationException("the cause")));
        worker.Wake();
        Assert.Equal("the cause", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await waiters.Task)).Message);
    }

    sealed class Reentrant : IDisposable
    {
        public Reentrant(List<int> threads) => Worker = new SerialWorker(() =>
        {
            threads.Add(Environment.CurrentManagedThreadId);
            if (threads.Count == 1) Assert.False(Worker!.WakeOrEnter());
            return default;
        });

        public SerialWorker Worker { get; }

        public void Dispose() => Worker.Dispose();
    }
}
