using System.Threading.Tasks.Sources;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests;

public sealed class CompletionTests
{
    [Fact]
    public void A_waiter_goes_on_where_the_one_who_completes_says()
    {
        using var threads = new WorkerThreads("elsewhere", threadLimit: 1);
        foreach (var (on, expected) in new[] { (threads, "elsewhere"), (null, Thread.CurrentThread.Name) })
        {
            var source = new Source();
            using var done = new ManualResetEventSlim();
            var name = "";
            source.Task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() =>
            {
                name = Thread.CurrentThread.Name;
                done.Set();
            });
            source.Complete(null, on);
            done.Wait();
            Assert.Equal(expected, name);
        }
    }

    // The thread pool is what the sources of .NET fall back to when they are completed while the waiter registers.
    [Fact]
    public void However_completion_and_waiting_race_nobody_goes_on_on_the_thread_pool()
    {
        using var threads = new WorkerThreads("completer", threadLimit: 1);
        using var goneOn = new SemaphoreSlim(0);
        var names = new HashSet<string?>();
        var source = new Source();
        for (var i = 0; i < 20_000; i++)
        {
            threads.Post(static source => ((Source)source!).Complete(null, null), source);
            Thread.SpinWait(i % 300); // So that either comes first, time and again.
            source.Await(_ =>
            {
                names.Add(Thread.CurrentThread.Name);
                source.Finish();
                goneOn.Release();
            });
            goneOn.Wait();
        }

        Assert.Subset(new HashSet<string?> { "completer", "ashlar-done" }, names);
        Assert.Contains("ashlar-done", names);
    }

    [Fact]
    public async Task A_source_is_used_again_after_its_waiter_has_seen_the_result()
    {
        var source = new Source();
        for (var i = 0; i < 3; i++)
        {
            var task = source.Task;
            Assert.False(task.IsCompleted);
            source.Complete(i == 1 ? new InvalidOperationException("the second") : null, null);
            Assert.True(task.IsCompleted);
            if (i == 1) await Assert.ThrowsAsync<InvalidOperationException>(async () => await task);
            else await task;
            Assert.Throws<InvalidOperationException>(() => task.IsCompleted);
        }
    }

    [Fact]
    public async Task Everybody_who_waits_for_a_shared_completion_goes_on()
    {
        var shared = new SharedCompletion();
        var early = Enumerable.Range(0, 100).Select(_ => WaitAsync()).ToList();
        Assert.False(shared.IsCompleted);
        shared.SetResult();
        foreach (var name in await Task.WhenAll(early)) Assert.Equal("ashlar-done", name);
        await shared.Task;
        Assert.True(shared.IsCompleted);

        async Task<string?> WaitAsync()
        {
            await shared.Task.ConfigureAwait(false);
            return Thread.CurrentThread.Name;
        }
    }

    [Fact]
    public async Task Everybody_who_waits_for_a_shared_completion_gets_its_failure()
    {
        var shared = new SharedCompletion();
        var early = Enumerable.Range(0, 10).Select(_ => shared.Task.AsTask()).ToList();
        var cause = new InvalidOperationException("the cause");
        shared.SetException(cause);
        foreach (var waiter in early) Assert.Same(cause, await Assert.ThrowsAsync<InvalidOperationException>(() => waiter));
        Assert.Same(cause, await Assert.ThrowsAsync<InvalidOperationException>(async () => await shared.Task));
    }

    [Fact]
    public async Task Completing_a_shared_completion_runs_no_waiter_on_the_thread_that_does()
    {
        var shared = new SharedCompletion();
        var lockOfCompleter = new Lock();
        var waiter = WaitAsync();
        lock (lockOfCompleter) shared.SetResult();
        Assert.False(await waiter);

        async Task<bool> WaitAsync()
        {
            await shared.Task.ConfigureAwait(false);
            return lockOfCompleter.IsHeldByCurrentThread;
        }
    }

    [Fact]
    public void A_caller_with_a_synchronisation_context_goes_on_in_it()
    {
        var context = new RecordingContext();
        var shared = new SharedCompletion();
        var source = new Source();
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            _ = AwaitAsync(shared.Task);
            _ = AwaitAsync(source.Task);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        shared.SetResult();
        source.Complete(null, WorkerThreads.Completions);
        Assert.Equal(2, context.Posted);

        static async Task AwaitAsync(ValueTask task) => await task;
    }

    [Fact]
    public void Waiting_and_completing_allocate_nothing()
    {
        var source = new Source();
        Action<object?> continuation = static state => ((Source)state!).Finish();
        var bytes = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                source.Await(continuation);
                source.Complete(null, null);
            }
        });
        Assert.Equal(0, bytes);
    }

    sealed class Source : IValueTaskSource
    {
        CompletionCore core;

        public ValueTask Task => new(this, core.Version);

        public void Complete(Exception? failure, WorkerThreads? on)
        {
            if (failure is null) core.SetResult(on);
            else core.SetException(failure, on);
        }

        public void Await(Action<object?> continuation) =>
            core.OnCompleted(continuation, this, core.Version, ValueTaskSourceOnCompletedFlags.None);

        public void Finish() => GetResult(core.Version);

        public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            core.OnCompleted(continuation, state, token, flags);

        public void GetResult(short token)
        {
            try
            {
                core.GetResult(token);
            }
            finally
            {
                core.Reset();
            }
        }
    }

    sealed class RecordingContext : SynchronizationContext
    {
        public int Posted { get; private set; }

        public override void Post(SendOrPostCallback d, object? state) => Posted++;
    }
}
