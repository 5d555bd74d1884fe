using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Every group says when it was committed, and those times never go back, whatever the clock does.</summary>
[Trait("disk", "any")]
public sealed class CommitTimeTests
{
    static readonly DateTimeOffset Noon = new(2027, 1, 15, 12, 0, 0, TimeSpan.Zero);

    readonly IFileSystem disk = TestStore.AnyDisk();

    public enum Ending
    {
        Close,
        Crash,
        FlushAndClose,
        FlushAndCrash,
    }

    [Fact]
    public void A_group_is_committed_at_the_time_of_the_clock()
    {
        using var store = Open(Noon, disk);
        store.Put("a", "1");
        Assert.Equal(Microseconds(Noon), LastCommitTime(disk));
    }

    [Theory, InlineData(Ending.Close), InlineData(Ending.Crash), InlineData(Ending.FlushAndClose), InlineData(Ending.FlushAndCrash)]
    public void Times_do_not_go_back_where_the_clock_does(Ending ending)
    {
        SimulatedFileSystem after;
        using (var store = Open(Noon, disk))
        {
            store.Put("a", "1");
            if (ending is Ending.FlushAndClose or Ending.FlushAndCrash) store.Flush();
            if (ending is Ending.Close or Ending.FlushAndClose) store.Dispose();
            after = StoreImage.Take(disk).ToDisk();
        }

        using var again = Open(Noon.AddHours(-1), after);
        again.Put("b", "2");
        Assert.Equal(Microseconds(Noon), LastCommitTime(after));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Times_do_not_go_back_where_the_clock_does_while_the_store_is_open(bool inAnotherSegment)
    {
        var clock = new WallClock { Now = Noon };
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TimeProvider = clock });
        store.Put("a", "1");
        if (inAnotherSegment) store.Flush();
        clock.Now = Noon.AddHours(-1);
        store.Put("b", "2");
        clock.Now = Noon.AddMinutes(-30);
        store.Put("c", "3");
        Assert.Equal(Microseconds(Noon), LastCommitTime(disk));
        using var after = Open(Noon, StoreImage.Take(disk).ToDisk());
        Assert.Equal("a=1 b=2 c=3", after.ReadAll());
    }

    static long Microseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;

    static long LastCommitTime(IFileSystem disk)
    {
        var newest = disk.List(TestStore.Directory).Last(name => name.StartsWith("log-", StringComparison.Ordinal));
        using var file = disk.Open($"{TestStore.Directory}/{newest}", FileOpenMode.ReadOnly);
        var head = new byte[LogSegmentHeader.SizeBytes];
        file.Read(head, 0);
        return new LogReader(file, LogSegmentHeader.Read(head, file.Path)).Read(null, 0, null).LastCommitTime;
    }

    static KeyValueStore Open(DateTimeOffset time, IFileSystem disk) =>
        KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TimeProvider = new SimulatedClock(time) });

    /// <summary>A clock that may be set, also backwards.</summary>
    sealed class WallClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
