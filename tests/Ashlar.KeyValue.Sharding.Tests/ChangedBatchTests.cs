using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>
/// A batch that is being written to shards is the one that they were chosen by: every change is refused until it has completed.
/// </summary>
public sealed class ChangedBatchTests
{
    [Theory]
    [InlineData("hot/a", false)]
    [InlineData("hot/a", true)]
    [InlineData("other", false)]
    [InlineData("other", true)]
    public async Task Every_change_is_refused_until_the_write_has_completed(string key, bool isAsync)
    {
        var disk = TestStore.NewDisk();
        var batch = new WriteBatch();
        batch.Put(TestStore.Bytes(key), "1"u8);
        var (refused, isArmed) = (0, false);
        var watched = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation is not FaultOperations.Sync || !path.Contains("log-", StringComparison.Ordinal)) return;
                Assert.Throws<InvalidOperationException>(batch.Clear);
                refused++;
            },
        };
        using (var store = Open(watched))
        {
            store.Put("before", "1");
            isArmed = true;
            if (isAsync) await store.WriteAsync(batch);
            else store.Write(batch);
            isArmed = false;
            Assert.True(refused > 0, "nothing was flushed");
            batch.Clear();
            batch.Put("expiring"u8, "1"u8, TimeSpan.FromHours(1), TimeProvider.System);
            batch.Put("hot/expiring"u8, "1"u8, TimeSpan.FromHours(1), TimeProvider.System);
            await Assert.ThrowsAsync<NotSupportedException>(async () => await store.WriteAsync(batch));
            Assert.Throws<NotSupportedException>(() => store.Write(batch));
            batch.Clear();
        }

        using var reopened = Open(disk);
        Assert.Equal($"before=1 {key}=1", reopened.ReadAll());
    }

    [Fact]
    public async Task A_batch_that_waits_for_a_snapshot_to_be_taken_refuses_changes()
    {
        using var store = Open(TestStore.NewDisk());
        var batch = new WriteBatch();
        batch.Put("key"u8, "1"u8);
        var keyOfFirstShard = Enumerable.Range(0, 100)
            .Select(number => $"{number}")
            .First(key => store.GetShard(TestStore.Bytes(key)) == 0);
        Task? waiting = null;
        var attempts = 0;
        store.BeforeShardSnapshot = shard =>
        {
            if (shard == 0) attempts++;
            if (waiting is not null) return;
            if (attempts > ShardedKeyValueStore.PatientAttempts)
            {
                waiting = store.WriteAsync(batch).AsTask(); // Writers are held back now.
                Assert.Throws<InvalidOperationException>(batch.Clear);
            }
            else if (shard == 1)
            {
                store.Put(keyOfFirstShard, "1"); // There is no one moment.
            }
        };
        using (store.CreateSnapshot())
        {
        }

        await waiting!;
        batch.Clear();
        Assert.Equal("1", store.Get("key"));
    }

    [Fact]
    public void Keys_that_are_longer_than_a_lowered_limit_are_deleted_salted_or_not()
    {
        var disk = TestStore.NewDisk();
        string[] keys = ["hot/a long one", "another long one"];
        using (var before = Open(disk))
            foreach (var key in keys) before.Put(key, "value");
        using var store = Open(disk, maxKeyBytes: 6, maxValueBytes: 10);
        foreach (var key in keys)
        {
            Assert.Equal("value", store.Get(key));
            Assert.Throws<KeyLengthException>(() => store.Put(key, "1"));
            Assert.Throws<KeyLengthException>(() => store.WritePerShard(One(key)));
            store.Delete(key);
            Assert.Null(store.Get(key));
        }

        store.Put("hot/b", "1");
        Assert.Throws<ValueTooLongException>(() => store.Put("hot/b", "12"));
        store.Put("plain", "0123456789");
        Assert.Throws<ValueTooLongException>(() => store.Put("plain", "0123456789a"));
        store.Delete("hot/b");
        Assert.Equal("plain=0123456789", store.ReadAll());
    }

    [Fact]
    public void Unknown_choices_and_overlapping_directories_are_refused()
    {
        var disk = TestStore.NewDisk();
        using (var store = Open(disk))
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Scan(KeyRange.All, (ScanDirection)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Scan(KeyRange.Prefix("hot/"u8), (ScanDirection)9));
            using (var snapshot = store.CreateSnapshot())
                Assert.Throws<ArgumentOutOfRangeException>(() => snapshot.Scan(KeyRange.All, (ScanDirection)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => store.BackUp("/backups", (BackupMode)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("hot/a"u8, "1"u8, (Durability)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a"u8, "1"u8, (Durability)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => store.WritePerShard(new WriteBatch(), (Durability)9));
            Assert.False(disk.DirectoryExists("/backups"));
            foreach (var inIt in (string[])[TestStore.Directory, $"{TestStore.Directory}/backups", "/"])
                Assert.Equal("directory", Assert.Throws<ArgumentException>(() => store.BackUp(inIt)).ParamName);
            Assert.Equal("", store.ReadAll());
        }

        foreach (var inIt in (string[])[TestStore.Directory, $"{TestStore.Directory}/archive", "/"])
        {
            var refusal = Assert.Throws<ArgumentException>(() => Open(disk, archive: inIt));
            Assert.Equal(nameof(KeyValueOptions.LogArchiveDirectory), refusal.ParamName);
        }
    }

    static WriteBatch One(string key)
    {
        var batch = new WriteBatch();
        batch.Put(TestStore.Bytes(key), "1"u8);
        return batch;
    }

    static ShardedKeyValueStore Open(
        Storage.IFileSystem disk, int maxKeyBytes = 100, int maxValueBytes = 100, string? archive = null) => ShardedKeyValueStore.Open(
        TestStore.Directory,
        new()
        {
            ShardCount = 2,
            SaltedPrefix = "hot/"u8.ToArray(),
            Store = TestStore.Small(disk) with { MaxKeyBytes = maxKeyBytes, MaxValueBytes = maxValueBytes, LogArchiveDirectory = archive },
            OneByOne = true,
        });
}
