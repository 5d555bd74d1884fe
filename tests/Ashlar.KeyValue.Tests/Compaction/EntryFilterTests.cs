namespace Ashlar.KeyValue.Tests;

public sealed class EntryFilterTests
{
    /// <summary>Entries like "a9 a5- a3", newest first per key, '-' for a tombstone; gives what is kept.</summary>
    static string Filter(string entries, ulong oldestReadable, bool isBottom) => Filter(entries, [oldestReadable], isBottom);

    static string Filter(string entries, ulong[] readable, bool isBottom)
    {
        var filter = new EntryFilter(readable);
        return string.Join(' ', entries.Split(' ').Where(entry =>
        {
            var isTombstone = entry.EndsWith('-');
            return filter.Keeps(TestStore.Bytes(entry[..1]), ulong.Parse(entry[1..].TrimEnd('-')), isTombstone && isBottom, out _);
        }));
    }

    [Fact]
    public void Only_the_newest_entry_of_a_key_is_kept_when_every_reader_sees_it() =>
        Assert.Equal("a9 b4 c8", Filter("a9 a5 a3 b4 c8 c2", oldestReadable: 10, isBottom: false));

    [Fact]
    public void What_a_snapshot_can_read_is_kept() =>
        Assert.Equal("a9 a5 b4", Filter("a9 a5 a3 b4", oldestReadable: 6, isBottom: false));

    [Fact]
    public void Entries_newer_than_every_snapshot_are_all_kept() =>
        Assert.Equal("a9 a8 a7", Filter("a9 a8 a7", oldestReadable: 6, isBottom: false));

    [Fact]
    public void A_tombstone_stays_while_older_entries_may_lie_below() =>
        Assert.Equal("a9-", Filter("a9- a5", oldestReadable: 10, isBottom: false));

    [Fact]
    public void A_tombstone_goes_with_all_that_it_shadows_when_nothing_lies_below() =>
        Assert.Equal("b3", Filter("a9- a5 a4- a2 b3", oldestReadable: 10, isBottom: true));

    [Fact]
    public void A_tombstone_that_a_snapshot_does_not_see_yet_stays_with_what_the_snapshot_sees() =>
        Assert.Equal("a9- a5", Filter("a9- a5 a2", oldestReadable: 6, isBottom: true));

    [Fact]
    public void What_lies_between_snapshots_and_nobody_reads_goes() =>
        Assert.Equal("a20 a9 a5 b20-", Filter("a20 a15- a12 a9 a7 a5 a3 b20- b19", [6, 10, 30], isBottom: false));

    [Fact]
    public void A_snapshot_reads_what_was_written_last_before_it_was_taken() =>
        Assert.Equal("a20 a10 a6", Filter("a20 a11 a10 a7 a6 a1", [6, 10, 30], isBottom: false));

    [Fact]
    public void What_is_not_visible_yet_shadows_nothing() =>
        Assert.Equal("a32 a31 a30", Filter("a32 a31 a30 a29", [6, 30], isBottom: false));

    [Fact]
    public void A_tombstone_between_snapshots_goes_where_a_newer_entry_shadows_it_for_all() =>
        Assert.Equal("a20 a5", Filter("a20 a15- a5", [6, 30], isBottom: true));
}
