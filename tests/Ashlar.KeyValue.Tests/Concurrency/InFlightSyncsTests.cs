using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Several flushes of the log under way: what counts when they return in another order, or fail.</summary>
public sealed class InFlightSyncsTests
{
    static readonly LogPosition First = new(1, 100), Second = new(2, 200), Third = new(3, 300);

    readonly InFlightSyncs inFlight = new(2);

    [Fact]
    public void Whoever_waits_for_flushes_goes_on_only_when_it_is_known_how_far_they_count()
    {
        long sync;
        lock (inFlight.Gate) sync = inFlight.Begin(new LogPosition(1, 100));
        var isKnown = false;
        var knewWhenItWentOn = false;
        var waiter = new Thread(() =>
        {
            inFlight.WaitForAtMost(0);
            knewWhenItWentOn = Volatile.Read(ref isKnown);
        });
        waiter.Start();
        SpinWait.SpinUntil(IsAwaited);
        lock (inFlight.Gate)
        {
            inFlight.End(sync, null, out _);
            // The waiter is awake by now: it stands at the gate, or it has gone on too early and ended.
            SpinWait.SpinUntil(() => waiter.ThreadState is ThreadState.WaitSleepJoin or ThreadState.Stopped);
            Volatile.Write(ref isKnown, true);
        }

        waiter.Join();
        Assert.True(knewWhenItWentOn);
    }

    bool IsAwaited()
    {
        lock (inFlight.Gate) return inFlight.IsAwaited;
    }

    [Fact]
    public void A_flush_counts_when_it_and_all_before_it_have_succeeded()
    {
        Assert.Equal(1, inFlight.Begin(First));
        Assert.Equal(2, inFlight.Begin(Second));
        Assert.NotEqual(inFlight.HandleOf(1), inFlight.HandleOf(2));
        Assert.False(inFlight.HasRoom);
        Assert.False(inFlight.End(2, null, out _));
        Assert.Equal(0, inFlight.Counted);
        Assert.False(inFlight.HasRoom); // Its description stays taken until it counts.
        Assert.True(inFlight.End(1, null, out var durable));
        Assert.Equal(Second, durable);
        Assert.Equal(2, inFlight.Counted);
        Assert.Equal(3, inFlight.Begin(Third));
        Assert.Equal(inFlight.HandleOf(1), inFlight.HandleOf(3));
    }

    [Theory, InlineData(1, 2), InlineData(2, 1)]
    public void After_a_failure_nothing_counts_that_has_not_yet(int failing, int other)
    {
        inFlight.Begin(First);
        inFlight.Begin(Second);
        var cause = new InvalidOperationException();
        Assert.False(inFlight.End(failing, cause, out _));
        Assert.False(inFlight.End(other, null, out _));
        Assert.Same(cause, inFlight.Failure);
        Assert.Equal(0, inFlight.Counted);
    }

    [Theory, InlineData(0, 0), InlineData(0, 1), InlineData(1, 1)]
    public async Task A_flush_that_fails_takes_those_that_began_later_with_it(int failing, int returnFirst)
    {
        using var overlap = new OverlappingWrites() { FailingFlush = failing };
        await overlap.RunTwo(returnFirst);
        Assert.All(overlap.Outcomes, outcome => Assert.IsType<StorePoisonedException>(outcome));
        Assert.Equal(1UL, overlap.Store.VisibleSequence);
        Assert.Equal(1UL, overlap.Store.DurableSequence);
        Assert.Throws<StorePoisonedException>(() => overlap.Store.Put("later", "1"));
        overlap.Store.Dispose();
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(overlap.Disk));
        Assert.Equal(failing == 0 ? "base" : "base first", OverlappingWrites.KeysOf(reopened));
    }

    [Theory, InlineData(0), InlineData(1)]
    public async Task Two_writes_are_flushed_at_once_and_acknowledged_in_order(int returnFirst)
    {
        using var overlap = new OverlappingWrites();
        await overlap.RunTwo(returnFirst);
        Assert.All(overlap.Outcomes, Assert.Null);
        Assert.Equal("base first second", OverlappingWrites.KeysOf(overlap.Store));
        Assert.Equal(3UL, overlap.Store.DurableSequence);
    }
}
