using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>A store that is only read: whatever state it is in, nothing on its disk is created, changed or deleted.</summary>
[Trait("disk", "any")]
public sealed class ReadOnlyTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();

    [Fact]
    public void A_closed_store_is_read_without_a_write()
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            for (var i = 0; i < 300; i++) store.Put($"key{i:d3}", new string('v', 100));
            store.Delete("key007");
        }

        var image = StoreImage.Take(disk);
        using (var store = OpenReadOnly(disk))
        {
            Assert.Null(store.Get("key007"));
            Assert.Equal(100, store.Get("key008")!.Length);
            using var snapshot = store.CreateSnapshot();
            Assert.Equal(299, snapshot.Scan(KeyRange.All, ScanDirection.Backward).ReadAll().Split(' ').Length);
            Assert.True(store.Verify().IsClean);
            Assert.Equal(store.VisibleSequence, store.GetStatistics().LastSequence);
        }

        image.RequireSameFiles(disk);
    }

    [Theory, Seeds(count: 30)]
    public void What_a_power_cut_leaves_is_read_as_a_writer_would_find_it(ulong seed)
    {
        var recording = new SimulatedFileSystem();
        using var writer = KeyValueStore.Open(TestStore.Directory, RandomHistory.Options(recording, seed));
        RandomHistory.Write(writer, seed);
        var image = StoreImage.Take(recording.LosePower(seed));

        var copy = image.ToDisk();
        string read;
        using (var store = OpenReadOnly(copy)) read = store.ReadAll();
        image.RequireSameFiles(copy);
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(copy))) Assert.Equal(store.ReadAll(), read);
        Assert.NotEqual("", read);
    }

    [Fact]
    public void Every_write_is_refused()
    {
        KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)).Dispose();
        using var store = OpenReadOnly(disk);
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        Action[] writes =
        [
            () => store.Put("a", "1"),
            () => store.Put("a"u8, "1"u8, TimeSpan.FromDays(1)),
            () => store.Delete("a"),
            () => store.Write(batch),
            () => store.WriteAsync(batch).AsTask().Wait(),
            () => store.PutAsync("a"u8, "1"u8, TimeSpan.FromDays(1)).AsTask().Wait(),
            () => store.PutIfAbsent("a"u8, "1"u8),
            () => store.TryWrite(batch, new WriteConditions()),
            () => store.TryWriteAsync(batch, new WriteConditions()).AsTask().Wait(),
            () => store.TryRenew("a"u8, TimeSpan.FromDays(1)),
            () => store.Increment("a"u8, 1),
            () => store.Increment("a"u8, 1, TimeSpan.FromDays(1)),
            () => store.Transact(transaction => transaction.Put("a"u8, "1"u8)),
            () => store.Sync(),
            () => store.Flush(),
            () => store.Compact(),
        ];
        foreach (var write in writes) Assert.Equal(TestStore.Directory, Assert.Throws<ReadOnlyStoreException>(write).Directory);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void Readers_share_a_store_but_not_with_a_writer()
    {
        using (KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
            Assert.Throws<LockedException>(() => OpenReadOnly(disk));

        using (OpenReadOnly(disk))
        using (OpenReadOnly(disk))
            Assert.Throws<LockedException>(() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)));

        KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)).Dispose();
    }

    [Fact]
    public void A_copy_without_a_lock_file_is_read_and_gets_none()
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk))) store.Put("a", "1");
        var image = StoreImage.Take(disk);
        image.Files.Remove("LOCK");
        var copy = image.ToDisk();
        using (var store = OpenReadOnly(copy)) Assert.Equal("a=1", store.ReadAll());
        Assert.False(copy.FileExists($"{TestStore.Directory}/LOCK"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_directory_without_a_store_is_an_error_and_stays_as_it_is(bool exists)
    {
        if (exists) disk.CreateDirectory(TestStore.Directory);
        var error = Assert.Throws<StorageException>(() => OpenReadOnly(disk));
        Assert.Equal(StorageErrorKind.NotFound, error.Kind);
        Assert.Equal(exists, disk.DirectoryExists(TestStore.Directory));
    }

    static KeyValueStore OpenReadOnly(IFileSystem disk) => KeyValueStore.Open(
        TestStore.Directory,
        TestStore.Small(new ReadOnlyFileSystem(disk), inline: false) with { ReadOnly = true, CreateIfMissing = true });
}
