using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>What has expired by a clock that is wrong for a moment is still there when it is put right.</summary>
public sealed class ExpiryClockTests
{
    static readonly TimeSpan Day = TimeSpan.FromDays(1), Second = TimeSpan.FromSeconds(1);

    readonly SimulatedClock clock = new();
    readonly ExpiryClock expiry;

    public ExpiryClockTests() => expiry = new(clock);

    [Fact]
    public void It_is_the_clock_while_that_goes_by_the_time_that_passes()
    {
        foreach (var step in new[] { Second, Day, 365 * Day })
        {
            clock.Advance(step);
            clock.JumpWallClock(ExpiryClock.Tolerance);
            RequireClock();
        }
    }

    [Fact]
    public void A_clock_that_is_set_back_is_believed()
    {
        clock.JumpWallClock(-Day);
        RequireClock();
        clock.Advance(Second);
        RequireClock();
    }

    [Fact]
    public void A_jump_counts_when_it_was_seen_long_enough_and_until_then_the_time_that_passed_does()
    {
        var before = expiry.Now();
        clock.JumpWallClock(Day);
        Assert.Equal(before, expiry.Now());
        clock.Advance(ExpiryClock.Confirmation - Second);
        Assert.Equal(before + (long)(ExpiryClock.Confirmation - Second).TotalMilliseconds, expiry.Now());
        clock.Advance(Second);
        RequireClock();
    }

    [Fact]
    public void A_jump_that_is_taken_back_is_forgotten()
    {
        for (var round = 0; round < 3; round++)
        {
            var before = expiry.Now();
            clock.JumpWallClock(Day);
            Assert.Equal(before, expiry.Now());
            clock.Advance(ExpiryClock.Confirmation / 2);
            Assert.True(expiry.Now() < Expiry.Now(clock));
            clock.JumpWallClock(-Day);
            RequireClock();
        }
    }

    [Fact]
    public void A_jump_on_top_of_another_has_to_be_seen_as_long_itself()
    {
        clock.JumpWallClock(Day);
        expiry.Now();
        clock.Advance(ExpiryClock.Confirmation - Second);
        clock.JumpWallClock(365 * Day);
        expiry.Now();
        clock.Advance(Second);
        Assert.True(expiry.Now() < Expiry.Now(clock) - (300 * Day).TotalMilliseconds);
        clock.Advance(ExpiryClock.Confirmation);
        RequireClock();
    }

    [Fact]
    public void Jumps_that_come_more_often_than_they_are_confirmed_count_one_after_the_other()
    {
        for (var night = 0; night < 40; night++)
        {
            clock.JumpWallClock(Day);
            Assert.True(expiry.Now() <= Expiry.Now(clock));
            Assert.True(expiry.SeesJump);
            clock.Advance(ExpiryClock.Confirmation / 2);
            var behind = TimeSpan.FromMilliseconds(Expiry.Now(clock) - expiry.Now());
            Assert.InRange(behind, TimeSpan.Zero, 4 * Day);
        }

        clock.Advance(ExpiryClock.Confirmation);
        expiry.Now();
        clock.Advance(ExpiryClock.Confirmation);
        RequireClock();
        Assert.False(expiry.SeesJump);
    }

    [Fact]
    public void A_jump_of_which_a_part_is_taken_back_is_another()
    {
        clock.JumpWallClock(365 * Day);
        var before = expiry.Now();
        clock.Advance(ExpiryClock.Confirmation - Second);
        clock.JumpWallClock(-300 * Day);
        expiry.Now();
        clock.Advance(Second);
        Assert.Equal(before + (long)ExpiryClock.Confirmation.TotalMilliseconds, expiry.Now());
        clock.Advance(ExpiryClock.Confirmation);
        RequireClock();
    }

    [Theory, InlineData(40), InlineData(400)]
    public void Neither_tables_nor_merges_lose_what_has_expired_by_a_clock_that_is_put_right(int valueBytes)
    {
        using var store = Open();
        for (var number = 0; number < 300; number++) store.Put(TestStore.Bytes($"{number:d5}"), new byte[valueBytes], Day);
        store.Flush();
        clock.JumpWallClock(2 * Day);
        Assert.Null(store.Get("00005")); // To readers it is what the clock says.
        store.Compact();
        clock.Advance(Second);
        store.Compact();
        Assert.Equal(300, store.GetStatistics().TableEntries);
        clock.JumpWallClock(-2 * Day);
        for (var number = 0; number < 300; number++) Assert.NotNull(store.Get($"{number:d5}"));
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void What_has_expired_by_a_clock_that_stays_as_it_is_goes()
    {
        using var store = Open();
        for (var number = 0; number < 300; number++) store.Put(TestStore.Bytes($"{number:d5}"), new byte[40], Day);
        store.Flush();
        clock.JumpWallClock(2 * Day);
        store.Compact();
        clock.Advance(ExpiryClock.Confirmation);
        store.Compact();
        Assert.Equal(0, store.GetStatistics().TableEntries);
    }

    void RequireClock() => Assert.Equal(Expiry.Now(clock), expiry.Now());

    KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()) with
    {
        TimeProvider = clock,
        RelaxedLossTime = TimeSpan.FromDays(1000),
        LogSegmentBytes = 64 << 10,
    });
}
