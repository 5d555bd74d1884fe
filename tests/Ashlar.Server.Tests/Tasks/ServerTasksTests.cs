using System.Collections.Concurrent;
using Ashlar.Api;
using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Tasks;

/// <summary>Work of the server, step by step, on a clock of the test's own.</summary>
public sealed class ServerTasksTests : IAsyncLifetime
{
    const long Mebibyte = 1 << 20;

    readonly SimulatedClock clock = new();
    readonly ConcurrentQueue<string> lines = new();
    readonly Steps work = new();
    readonly ServerTasks tasks;

    public ServerTasksTests() => tasks = new(entry => lines.Enqueue(entry.Message), clock);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await tasks.DisposeAsync();

    [Fact]
    public async Task A_task_comes_to_its_end_and_tells_what_it_found()
    {
        var task = tasks.Start("main", work, null, "me");
        work.Findings.Add("volume vm1: 1 damaged block");
        work.End();
        await task.Ended;
        Assert.Equal((TaskStates.Done, 1), (task.Describe().State, task.Describe().Findings!.Count));
        Assert.True(SpinWait.SpinUntil(() => lines.Count == 3, TimeSpan.FromSeconds(30)));
        Assert.Equal(
            ["task 1: steps of pool main: started, by me", "task 1: steps of pool main: done, 1 finding",
                "task 1: steps of pool main: volume vm1: 1 damaged block"],
            lines);
    }

    [Fact]
    public async Task A_task_waits_while_it_is_paused_and_for_its_speed()
    {
        var task = tasks.Start("main", work, 2 * Mebibyte, "me");
        await work.Started;
        task.Context.Pause(isPaused: true);
        Assert.Equal(TaskStates.Paused, task.Describe().State);
        var step = work.StepAsync(2 * Mebibyte);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(step.IsCompleted);
        task.Context.Pause(isPaused: false);
        await step; // What was before the pause is not made up for, and not waited for.
        step = work.StepAsync(4 * Mebibyte);
        Assert.False(step.IsCompleted);
        for (var i = 0; i < 30 && !step.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(0.1));
            await Task.Delay(1);
        }
        await step.WaitAsync(TimeSpan.FromSeconds(30));
        task.Context.Limit(null);
        await work.StepAsync(1L << 40);
        work.End();
        await task.Ended;
    }

    [Fact]
    public async Task A_task_that_is_ended_ends_also_while_it_is_paused_and_all_of_a_pool_when_it_is_closed()
    {
        var other = new Steps();
        var task = tasks.Start("main", work, null, "me");
        var kept = tasks.Start("fast", other, null, "me");
        task.Context.Pause(isPaused: true);
        _ = work.StepAsync(1);
        await tasks.EndAsync("main");
        Assert.Equal((TaskStates.Cancelled, TaskStates.Running), (task.Describe().State, kept.Describe().State));
        Assert.Equal(["1", "2"], tasks.All.Select(each => each.Id));
        Assert.Equal(ProblemKind.TaskNotFound, Assert.Throws<ApiException>(() => tasks.Get("3")).Kind);
    }

    [Fact]
    public async Task One_of_a_kind_works_on_a_pool_and_the_last_hundred_that_have_ended_are_kept()
    {
        var first = tasks.Start("main", work, null, "me");
        Assert.Equal(ProblemKind.Exists, Assert.Throws<ApiException>(() => tasks.Start("main", new Steps(), null, "me")).Kind);
        work.End();
        await first.Ended;
        for (var i = 0; i < 110; i++)
        {
            var next = new Steps();
            next.End();
            await tasks.Start("main", next, null, "me").Ended;
        }
        Assert.InRange(tasks.All.Count, 100, 101);
        Assert.Equal("111", tasks.All[^1].Id);
    }

    /// <summary>Work whose steps a test decides.</summary>
    sealed class Steps : ITaskWork
    {
        readonly TaskCompletionSource<TaskContext> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Type => "steps";

        public Task Started => started.Task;

        public List<string> Findings { get; } = [];

        public TaskProgress Progress => new(null, null, [.. Findings]);

        public async Task RunAsync(TaskContext context)
        {
            started.SetResult(context);
            await end.Task.WaitAsync(context.Stop.Token);
        }

        public async Task StepAsync(long bytes)
        {
            var context = await started.Task;
            await context.PaceAsync(bytes, context.Stop.Token);
        }

        public void End() => end.SetResult();
    }
}
