using Ashlar.Simulation;

namespace Ashlar.Storage.Tests;

/// <summary>Timers that fire on threads of the data plane.</summary>
public sealed class WorkerClockTests
{
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_timer_fires_again_and_again_on_a_thread_of_the_data_plane()
    {
        using var fired = new SemaphoreSlim(0);
        var names = new List<string?>();
        await using (WorkerClock.Instance.CreateTimer( // Waits for its last run, which uses what is disposed of after it.
            _ =>
            {
                lock (names) names.Add(Thread.CurrentThread.Name);
                fired.Release();
            },
            null,
            Moment,
            Moment))
        {
            for (var i = 0; i < 3; i++) fired.Wait();
        }

        lock (names) Assert.All(names, name => Assert.Equal("ashlar-work", name));
    }

    [Fact]
    public async Task Timers_fire_in_the_order_of_their_times_and_not_before()
    {
        var order = new List<int>();
        var all = new TaskCompletionSource();
        var began = WorkerClock.Instance.GetTimestamp();
        var early = false;
        await using var last = Start(3, 60, () => all.SetResult());
        await using var first = Start(1, 1, () => { });
        await using var second = Start(2, 30, () => { });
        await all.Task;
        lock (order) Assert.Equal([1, 2, 3], order);
        Assert.False(early);

        ITimer Start(int number, int afterMilliseconds, Action then) => WorkerClock.Instance.CreateTimer(
            _ =>
            {
                lock (order)
                {
                    order.Add(number);
                    early |= WorkerClock.Instance.GetElapsedTime(began).TotalMilliseconds < afterMilliseconds;
                }

                then();
            },
            null,
            TimeSpan.FromMilliseconds(afterMilliseconds),
            Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public async Task A_timer_that_blocks_delays_no_other()
    {
        using var release = new ManualResetEventSlim();
        using var fired = new ManualResetEventSlim();
        using var blocked = new ManualResetEventSlim();
        await using var stuck = WorkerClock.Instance.CreateTimer(
            _ =>
            {
                blocked.Set();
                release.Wait();
            },
            null,
            TimeSpan.Zero,
            Timeout.InfiniteTimeSpan);
        blocked.Wait();
        await using var other = WorkerClock.Instance.CreateTimer(_ => fired.Set(), null, Moment, Timeout.InfiniteTimeSpan);
        fired.Wait();
        release.Set();
    }

    [Fact]
    public async Task Runs_of_one_timer_do_not_overlap()
    {
        var (running, most, runs) = (0, 0, 0);
        using var enough = new ManualResetEventSlim();
        await using (WorkerClock.Instance.CreateTimer(
            _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                using (var pause = new ManualResetEventSlim()) pause.Wait(5);
                Interlocked.Decrement(ref running);
                if (Interlocked.Increment(ref runs) == 5) enough.Set();
            },
            null,
            Moment,
            Moment)) enough.Wait();
        Assert.Equal((1, 0), (most, running));
    }

    [Fact]
    public async Task Disposing_of_it_waits_for_a_run_that_has_begun_and_no_other_follows()
    {
        using var begun = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var runs = 0;
        var timer = WorkerClock.Instance.CreateTimer(
            _ =>
            {
                begun.Set();
                release.Wait();
                runs++;
            },
            null,
            TimeSpan.Zero,
            Moment);
        begun.Wait();
        var ended = timer.DisposeAsync().AsTask();
        Assert.False(timer.Change(TimeSpan.Zero, Moment));
        release.Set();
        await ended;
        var atTheEnd = runs;
        await using var later = WorkerClock.Instance.CreateTimer(_ => begun.Set(), null, 5 * Moment, Timeout.InfiniteTimeSpan);
        begun.Reset();
        begun.Wait();
        Assert.InRange(runs, 1, 2); // It may have fallen due once more before it was disposed of.
        Assert.Equal(atTheEnd, runs);
    }

    [Fact]
    public async Task It_can_be_set_earlier_and_off()
    {
        using var fired = new SemaphoreSlim(0);
        await using var timer = WorkerClock.Instance.CreateTimer(_ => fired.Release(), null, TimeSpan.MaxValue, Timeout.InfiniteTimeSpan);
        Assert.True(timer.Change(Moment, Timeout.InfiniteTimeSpan));
        fired.Wait();
        Assert.True(timer.Change(TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan));
        Assert.True(timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        Assert.Equal(0, fired.CurrentCount);
    }

    [Fact]
    public void Only_the_clock_of_the_system_is_replaced()
    {
        var simulated = new SimulatedClock();
        Assert.Same(simulated, WorkerClock.For(simulated));
        Assert.Same(WorkerClock.Instance, WorkerClock.For(TimeProvider.System));
        Assert.Same(WorkerClock.Instance, WorkerClock.For(WorkerClock.Instance));
    }
}
