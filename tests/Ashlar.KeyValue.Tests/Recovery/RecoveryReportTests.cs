using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>What opening tells about what it found, and logs that are shorter than a crash can leave them.</summary>
[Trait("disk", "any")]
public sealed class RecoveryReportTests
{
    const int Puts = 30;

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with { MemTableBytes = 1 << 20 };

    static StoreImage Image(bool isClosed)
    {
        var disk = TestStore.AnyDisk();
        var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        for (var i = 0; i < Puts; i++) store.Put($"{i:d2}", "value");
        if (isClosed) store.Dispose();
        var image = StoreImage.Take(disk);
        store.Dispose();
        return image;
    }

    [Fact]
    public void A_new_store_has_nothing_to_recover()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(TestStore.AnyDisk()));
        Assert.Equal(new RecoveryReport { WasClosed = true }, store.Recovery);
        Assert.Equal("closed in order, no log to read", $"{store.Recovery}");
    }

    [Fact]
    public void After_an_orderly_close_the_log_ends_with_its_seal()
    {
        var image = Image(isClosed: true);
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()));
        var log = image.Only("log-");
        Assert.True(store.Recovery.WasClosed);
        Assert.Equal((1, Puts + 1, 0), (store.Recovery.Segments, store.Recovery.Groups, store.Recovery.TornBytes));
        Assert.Equal(($"/store/{log}", image.Files[log].Length), (store.Recovery.EndPath, store.Recovery.EndOffset));
    }

    [Fact]
    public void After_a_kill_it_says_what_was_read_and_where_the_log_ends()
    {
        var image = Image(isClosed: false);
        var log = image.Only("log-");
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()));
        Assert.False(store.Recovery.WasClosed);
        Assert.Equal((1, Puts, 0), (store.Recovery.Segments, store.Recovery.Groups, store.Recovery.TornBytes));
        Assert.Equal(store.Recovery.EndOffset - LogSegmentHeader.SizeBytes, store.Recovery.Bytes);
        Assert.Equal(
            $"not closed in order: read {Puts} groups, {store.Recovery.Bytes} bytes, of 1 log segments; "
            + $"the log ends at byte {store.Recovery.EndOffset} of /store/{log}; 0 torn bytes dropped",
            $"{store.Recovery}");
    }

    [Fact]
    public void A_group_that_was_being_written_is_counted_as_torn()
    {
        var image = Image(isClosed: false);
        var log = image.Files[image.Only("log-")];
        var end = Array.FindLastIndex(log, value => value != 0) + 1;
        log[end - 1] ^= 1;
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()));
        Assert.Equal(Puts - 1, store.Recovery.Groups);
        Assert.Equal(end - store.Recovery.EndOffset, store.Recovery.TornBytes);
    }

    // What is there was durable from the first sync on; only a seal and a backup end a file earlier.
    [Fact]
    public void A_log_that_is_shorter_than_it_was_before_its_first_group_is_damage()
    {
        var image = Image(isClosed: false);
        var name = image.Only("log-");
        var whole = image.Files[name];
        var endsOfGroups = 0;
        for (var length = LogSegmentHeader.SizeBytes; length < whole.Length; length += 4)
        {
            image.Files[name] = whole[..length];
            try
            {
                using var store = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()) with { ReadOnly = true });
                Assert.True(length - store.Recovery.EndOffset is 0 or LogGroupHeader.SizeBytes, $"cut to {length}: {store.Recovery}");
                endsOfGroups++;
            }
            catch (CorruptDataException damage)
            {
                Assert.Equal(($"/store/{name}", length), (damage.FilePath, damage.OffsetBytes));
            }
        }

        Assert.InRange(endsOfGroups, 1, 2 * (Puts + 1));
    }
}
