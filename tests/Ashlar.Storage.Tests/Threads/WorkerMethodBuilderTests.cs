using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests;

public sealed class WorkerMethodBuilderTests
{
    [Fact]
    public async Task Results_and_failures_reach_the_caller_whether_the_method_has_waited_or_not()
    {
        foreach (var waits in new[] { false, true })
        {
            Assert.Equal(42, await AnswerAsync(waits, null));
            await DoAsync(waits, null);
            var cause = new InvalidOperationException("the cause");
            Assert.Same(cause, await Assert.ThrowsAsync<InvalidOperationException>(async () => await AnswerAsync(waits, cause)));
            Assert.Same(cause, await Assert.ThrowsAsync<InvalidOperationException>(async () => await DoAsync(waits, cause)));
            var cancelled = new OperationCanceledException(new CancellationToken(canceled: true));
            var task = DoAsync(waits, cancelled).AsTask();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
            Assert.True(task.IsCanceled);
        }
    }

    // With the builders of .NET a caller that registers just after the method has ended goes on on the thread pool.
    [Fact]
    public void A_caller_that_looks_before_the_end_of_a_method_and_registers_after_it_stays_off_the_thread_pool()
    {
        using var goneOn = new SemaphoreSlim(0);
        var name = "";
        var step = new Step();
        var task = WaitAsync(step);
        var caller = task.ConfigureAwait(false).GetAwaiter();
        Assert.False(caller.IsCompleted);
        step.Complete();
        caller.UnsafeOnCompleted(() =>
        {
            name = Thread.CurrentThread.Name;
            goneOn.Release();
        });
        goneOn.Wait();
        caller.GetResult();
        Assert.Equal("ashlar-done", name);

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        static async ValueTask WaitAsync(Step step) => await step.Task.ConfigureAwait(false);
    }

    [Fact]
    public void Waiting_allocates_nothing_once_it_is_warm()
    {
        var step = new Step();
        var bytes = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                var task = SumAsync(step, i);
                Assert.False(task.IsCompleted);
                step.Complete();
                step.Complete();
                Assert.True(task.IsCompletedSuccessfully);
                if (task.GetAwaiter().GetResult() != i + 1) throw new InvalidOperationException("wrong sum");
            }
        });
        Assert.Equal(0, bytes);

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
        static async ValueTask<int> SumAsync(Step step, int number)
        {
            await StepAsync(step).ConfigureAwait(false);
            await step.Task.ConfigureAwait(false);
            return number + 1;
        }

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        static async ValueTask StepAsync(Step step) => await step.Task.ConfigureAwait(false);
    }

    [Fact]
    public async Task A_task_that_was_awaited_is_not_awaited_again()
    {
        var gate = new SharedCompletion();
        var task = WaitAsync(gate);
        gate.SetResult();
        await task;
        Assert.Throws<InvalidOperationException>(() => task.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await task);

        [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
        static async ValueTask WaitAsync(SharedCompletion gate) => await gate.Task;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<int> AnswerAsync(bool waits, Exception? failure)
    {
        await DoAsync(waits, failure);
        return 42;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    static async ValueTask DoAsync(bool waits, Exception? failure)
    {
        if (waits)
        {
            var gate = new SharedCompletion();
            WorkerThreads.Completions.Post(static gate => gate.SetResult(), gate);
            await gate.Task;
        }

        if (failure is not null) throw failure;
    }

    // Completed by hand, on the thread of the test.
    sealed class Step : IValueTaskSource
    {
        CompletionCore core;

        public ValueTask Task => new(this, core.Version);

        public void Complete() => core.SetResult(null);

        public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            core.OnCompleted(continuation, state, token, flags);

        public void GetResult(short token)
        {
            core.GetResult(token);
            core.Reset();
        }
    }
}
