using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>What expires gives its space back on a store that nobody writes to any more.</summary>
public sealed class ExpiryWatchTests : IDisposable
{
    static readonly TimeSpan Life = TimeSpan.FromHours(5);

    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    KeyValueStore store;

    public ExpiryWatchTests() => store = Open();

    public void Dispose() => store.Dispose();

    [Theory, InlineData(false), InlineData(true)]
    public async Task Tables_go_when_all_of_them_has_expired(bool isReopened)
    {
        Fill(lives: 300, stays: 0);
        if (isReopened) Reopen();
        clock.Advance(Life - TimeSpan.FromSeconds(1));
        Assert.Equal(300, store.GetStatistics().TableEntries);
        clock.Advance(TimeSpan.FromSeconds(1));
        await Waiting.UntilAsync(() => store.GetStatistics().TableEntries == 0, "the tables go");
        await Waiting.UntilAsync(() => clock.UntilNextTimer is null, "no further look");
    }

    [Fact]
    public async Task Tables_are_merged_when_a_good_part_has_expired()
    {
        Fill(lives: 150, stays: 150);
        clock.Advance(Life);
        await Waiting.UntilAsync(() => store.GetStatistics().TableEntries == 150, "a merge");
        await Waiting.UntilAsync(() => clock.UntilNextTimer is null, "no further look");
    }

    [Fact]
    public async Task A_jump_of_the_clock_is_looked_at_until_it_counts()
    {
        Fill(lives: 300, stays: 0);
        clock.JumpWallClock(2 * Life);
        clock.Advance(TimeSpan.FromHours(1)); // The look that sees it.
        await Waiting.UntilAsync(() => clock.UntilNextTimer <= TimeSpan.FromMinutes(1), "another look within a minute");
        Assert.Equal(300, store.GetStatistics().TableEntries);
        clock.Advance(ExpiryClock.Confirmation);
        await Waiting.UntilAsync(() => store.GetStatistics().TableEntries == 0, "the tables go");
        await Waiting.UntilAsync(() => clock.UntilNextTimer is null, "no further look");
    }

    [Fact]
    public async Task It_is_also_where_nothing_expires_later_and_no_longer_than_that()
    {
        Fill(lives: 0, stays: 300);
        clock.JumpWallClock(Life);
        store.Put("1", "1");
        store.Flush();
        await Waiting.UntilAsync(() => clock.UntilNextTimer <= TimeSpan.FromMinutes(1), "a look at the jump");
        clock.Advance(ExpiryClock.Confirmation + TimeSpan.FromMinutes(1));
        await Waiting.UntilAsync(() => clock.UntilNextTimer is null, "no further look");
    }

    [Fact]
    public void Nothing_is_waited_for_where_nothing_expires()
    {
        Fill(lives: 0, stays: 300);
        Assert.Null(clock.UntilNextTimer);
    }

    void Fill(int lives, int stays)
    {
        for (var number = 0; number < lives; number++) store.Put(TestStore.Bytes($"{number * 2:d5}"), new byte[40], Life);
        for (var number = 0; number < stays; number++) store.Put(TestStore.Bytes($"{(number * 2) + 1:d5}"), new byte[40]);
        store.Compact();
    }

    void Reopen()
    {
        store.Dispose();
        store = Open();
    }

    KeyValueStore Open() => KeyValueStore.Open(
        TestStore.Directory, TestStore.Small(disk, inline: false) with { TimeProvider = clock, MemTableBytes = 64 << 10 });
}
