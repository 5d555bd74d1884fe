using System.Buffers;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Entries that expire: absent everywhere from their moment on, and nothing older comes back for them.</summary>
[Trait("disk", "any")]
public sealed class TimeToLiveTests : IDisposable
{
    readonly SimulatedClock clock = new();
    readonly IFileSystem disk = TestStore.AnyDisk();
    KeyValueStore store;

    public TimeToLiveTests() => store = Open();

    public void Dispose() => store.Dispose();

    [Fact]
    public void An_entry_is_there_until_its_time_has_passed()
    {
        Put("a", "1", milliseconds: 10);
        clock.Advance(TimeSpan.FromMilliseconds(9));
        Assert.Equal("1", store.Get("a"));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(store.Get("a"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Every_way_of_reading_finds_the_value_first_and_nothing_later(bool fromTable)
    {
        Put("a", "1", milliseconds: 10);
        store.Put("b", "2");
        Put("c", "", milliseconds: 10);
        if (fromTable) store.Flush();
        using var snapshot = store.CreateSnapshot();
        using var before = store.Scan(KeyRange.All);
        Check("a=1 b=2 c=", "c= b=2 a=1", "1");
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Check("b=2", "b=2", null);
        Assert.Equal("a=1 b=2 c=", before.ReadAll());

        void Check(string forward, string backward, string? value)
        {
            Assert.Equal(forward, store.ReadAll());
            Assert.Equal(backward, store.ReadAll(ScanDirection.Backward));
            Assert.Equal(forward, snapshot.Scan(KeyRange.All).ReadAll());
            Assert.Equal(value, store.Get("a"));
            Assert.Equal(value, snapshot.Get("a"));
            var writer = new ArrayBufferWriter<byte>();
            Assert.Equal(value is not null, store.TryGet("a"u8, writer));
            Assert.Equal(value ?? "", System.Text.Encoding.UTF8.GetString(writer.WrittenSpan));
            var some = new byte[8];
            Assert.Equal(value is not null, store.TryGet("a"u8, some, out var length));
            Assert.Equal(value?.Length ?? 0, length);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_older_value_does_not_come_back_when_a_newer_one_has_expired(bool everything)
    {
        store.Put("a", "old");
        store.Compact();
        Put("a", "new", milliseconds: 10);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Null(store.Get("a"));
        if (everything) store.Compact();
        else store.Flush();
        Assert.Null(store.Get("a"));
        Reopen();
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_merge_leaves_nothing_of_what_has_expired()
    {
        for (var i = 0; i < 200; i++) Put($"key{i:d3}", new string('v', 100), milliseconds: 10);
        store.Compact();
        Assert.Equal(200, store.GetStatistics().TableEntries);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        store.Compact();
        Assert.Equal(0, store.GetStatistics().TableEntries);
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void A_snapshot_keeps_what_lies_below_an_expired_entry_that_it_does_not_see()
    {
        store.Put("a", "old");
        using var snapshot = store.CreateSnapshot();
        Put("a", "new", milliseconds: 10);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        store.Compact();
        Assert.Equal("old", snapshot.Get("a"));
        Assert.Null(store.Get("a"));
    }

    [Fact]
    public void The_time_goes_on_while_the_store_is_closed()
    {
        Put("a", "1", milliseconds: 10);
        Put("b", "2", milliseconds: 20);
        store.Dispose();
        clock.Advance(TimeSpan.FromMilliseconds(10));
        store = Open();
        Assert.Equal("b=2", store.ReadAll());
    }

    [Fact]
    public void A_later_put_without_an_expiry_stays()
    {
        Put("a", "1", milliseconds: 10);
        store.Put("a", "2");
        clock.Advance(TimeSpan.FromDays(1));
        store.Compact();
        Assert.Equal("2", store.Get("a"));
    }

    [Fact]
    public void A_put_whose_moment_has_passed_deletes()
    {
        store.Put("a", "1");
        var batch = new WriteBatch();
        batch.Put("a"u8, "2"u8, clock.GetUtcNow());
        store.Write(batch);
        Assert.Null(store.Get("a"));
    }

    [Fact]
    public void A_clock_that_is_set_back_gives_back_only_what_no_merge_has_met()
    {
        Put("a", "1", milliseconds: 10);
        store.Flush();
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Null(store.Get("a"));
        Reopen(new SimulatedClock());
        Assert.Equal("1", store.Get("a"));
        Reopen(clock);
        store.Compact();
        Reopen(new SimulatedClock());
        Assert.Null(store.Get("a"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_time_to_live_that_cannot_be_is_refused_and_nothing_is_written(long ticks)
    {
        var time = new TimeSpan(ticks);
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => store.Put("a"u8, "1"u8, time));
        Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => new WriteBatch().Put("a"u8, "1"u8, time, clock));
        Assert.Equal("", store.ReadAll());
        store.Put("a", "1");
    }

    [Fact]
    public void An_expiry_before_1970_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(
        "expiresAt", () => new WriteBatch().Put("a"u8, "1"u8, DateTimeOffset.MinValue));

    [Fact]
    public void The_longest_and_the_shortest_time_to_live_are_kept()
    {
        store.Put("a"u8, "1"u8, DateTimeOffset.MaxValue - clock.GetUtcNow());
        store.Put("b"u8, "2"u8, new TimeSpan(1));
        Assert.Equal("a=1 b=2", store.ReadAll());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("a=1", store.ReadAll());
    }

    [Fact]
    public void An_expiring_value_may_be_as_long_as_any_other()
    {
        Reopen(options => options with { MaxValueBytes = 10 });
        Put("a", new string('v', 10), milliseconds: 1000);
        Assert.Throws<ValueTooLongException>(() => Put("a", new string('v', 11), milliseconds: 1000));
        Assert.Equal(10, store.Get("a")!.Length);
    }

    void Put(string key, string value, int milliseconds) =>
        store.Put(TestStore.Bytes(key), TestStore.Bytes(value), TimeSpan.FromMilliseconds(milliseconds));

    void Reopen(SimulatedClock? other = null)
    {
        store.Dispose();
        store = Open(other);
    }

    void Reopen(Func<KeyValueOptions, KeyValueOptions> change)
    {
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, change(Options(disk, clock)));
    }

    KeyValueStore Open(SimulatedClock? other = null) =>
        KeyValueStore.Open(TestStore.Directory, Options(disk, other ?? clock));

    static KeyValueOptions Options(IFileSystem disk, SimulatedClock clock) =>
        TestStore.Small(disk) with { TimeProvider = clock, RelaxedLossTime = TimeSpan.FromDays(10) };
}
