using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A store is opened on a disk that others have filled, deletes there, and writes again when there is room.</summary>
public sealed class FullDiskOpeningTests
{
    const int KeyCount = 1000;

    static KeyValueOptions Options(IFileSystem disk) => TestStore.Small(disk) with
    {
        TableBytes = 16 << 10,
        SpaceReserveBytes = 512 << 10,
        ManifestRewriteBytes = 4096,
    };

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(false, true)]
    public void A_store_that_is_opened_on_a_full_disk_lets_its_owner_delete_and_then_write_again(bool wasClosed, bool hasTornEdit)
    {
        using var disk = new CrowdedDisk(Image(wasClosed, hasTornEdit).ToDisk());
        for (var life = 0; life < 3; life++)
        {
            disk.TakeWhatIsFree();
            using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk));
            disk.TakeWhatIsFree();
            Assert.Equal("value", store.Get("0999"));
            var refusal = Assert.Throws<StorageException>(() => store.Put(TestStore.Bytes("large"), new byte[100_000]));
            Assert.Equal(StorageErrorKind.NoSpace, refusal.Kind);
            var batch = new WriteBatch { MayUseReserve = true };
            batch.Put(TestStore.Bytes($"deleting {life}"), "x"u8);
            store.Write(batch);
            disk.TakeWhatIsFree();
            for (var i = life * 200; i < (life + 1) * 200; i++)
            {
                store.Delete($"{i:d4}");
                disk.TakeWhatIsFree();
            }

            Assert.Null(store.Failure);
        }

        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk)))
        {
            disk.GiveBack(2 << 20);
            store.Put("again", "x");
            Assert.Null(store.Get("0599"));
            Assert.Equal("value", store.Get("0600"));
            Assert.Equal("x", store.Get("deleting 2"));
            Assert.Empty(store.Verify().Problems);
        }
    }

    [Fact]
    public void Opening_gives_up_no_more_of_the_reserve_than_it_needs()
    {
        using var disk = new CrowdedDisk(Image(wasClosed: false, hasTornEdit: true).ToDisk());
        disk.TakeWhatIsFree();
        var before = ReserveBytes(disk.Disk);
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk));
        Assert.InRange(ReserveBytes(disk.Disk), before / 2, before);
    }

    [Fact]
    public void A_torn_edit_keeps_no_store_from_being_opened_on_a_full_disk_without_a_reserve()
    {
        using var disk = new CrowdedDisk(Image(wasClosed: false, hasTornEdit: true).ToDisk());
        disk.Disk.Delete($"{StoreImage.Directory}/RESERVE");
        for (var life = 0; life < 2; life++)
        {
            disk.TakeWhatIsFree();
            using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk) with { SpaceReserveBytes = 0 });
            Assert.Equal("value", store.Get("0999"));
        }

        disk.GiveBack(2 << 20);
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk))) store.Put("again", "x");
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk.Disk))) Assert.Equal("x", store.Get("again"));
    }

    static long ReserveBytes(SimulatedFileSystem disk)
    {
        using var file = disk.Open($"{StoreImage.Directory}/RESERVE", FileOpenMode.ReadOnly);
        return file.LengthBytes;
    }

    static StoreImage Image(bool wasClosed, bool hasTornEdit)
    {
        var disk = TestStore.NewDisk();
        var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        for (var i = 0; i < KeyCount; i++) store.Put($"{i:d4}", "value", Durability.Relaxed);
        store.Sync();
        if (wasClosed) store.Dispose();
        var image = StoreImage.Take(disk);
        if (hasTornEdit) image.Files["MANIFEST"] = [.. image.Files["MANIFEST"], .. new byte[100]];
        store.Dispose();
        return image;
    }
}
