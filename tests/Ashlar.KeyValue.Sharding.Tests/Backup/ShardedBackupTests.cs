using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

public sealed class ShardedBackupTests : IDisposable
{
    const string Backups = "/backups";
    const string Restored = "/restored";

    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    readonly ShardedKeyValueStore store;
    readonly ShardedKeyValueBackups backups;

    public ShardedBackupTests()
    {
        store = ShardedTestStore.Open(disk);
        backups = new ShardedKeyValueBackups(Backups, TestStore.Small(disk));
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_backup_holds_what_was_written_before_and_nothing_later()
    {
        Fill(0, 300);
        store.Put("relaxed", "1", Durability.Relaxed);
        var expected = store.ReadAll();
        var backup = store.BackUp(Backups);
        Fill(200, 400);
        Assert.Equal((1UL, store.StoreId, 4), (backup.Number, backup.StoreId, backup.Shards.Count));
        backups.Restore(1, Restored);
        Assert.Equal(expected, Read(Restored));
    }

    [Fact]
    public void The_number_of_a_backup_is_never_used_again()
    {
        store.Put("a", "1");
        Assert.Equal(1UL, store.BackUp(Backups).Number);
        backups.Delete(1);
        Assert.Equal(2UL, store.BackUp(Backups).Number);
        Assert.Equal([2UL], backups.List().Select(backup => backup.Number));
        Assert.True(backups.Verify(2).IsClean);
    }

    [Fact]
    public void The_next_backup_copies_only_what_is_new_and_each_can_be_deleted()
    {
        Fill(0, 300);
        store.Compact();
        var first = store.BackUp(Backups);
        store.Put("later", "1");
        var second = store.BackUp(Backups);
        Assert.True(second.OwnBytes < first.OwnBytes / 2, $"{second.OwnBytes} of {second.SizeBytes}");
        Assert.Equal([1UL, 2UL], backups.List().Select(backup => backup.Number));
        Assert.True(backups.Verify(2).IsClean);
        backups.Delete(1);
        backups.Restore(2, Restored);
        Assert.Equal(store.ReadAll(), Read(Restored));
        backups.Delete(2);
        Assert.Empty(backups.List());
        Assert.Equal(["LOCK", "deleted-000002"], disk.List($"{Backups}/shard-000"));
    }

    [Fact]
    public void A_backup_is_of_one_moment_over_all_shards()
    {
        store.Dispose();
        using var busy = ShardedTestStore.Open(disk, inline: false);
        // Written one after the other, to different shards: at any one moment none is behind the next.
        var keys = Enumerable.Range(0, 100).Select(i => TestStore.Bytes($"key{i}")).GroupBy(key => busy.GetShard(key)).Select(group => group.First()).ToArray();
        Assert.Equal(4, keys.Length);
        var isOver = false;
        var number = 0;
        using var began = new ManualResetEventSlim();
        var writer = new Thread(() =>
        {
            var value = new byte[4];
            while (!Volatile.Read(ref isOver))
            {
                BinaryPrimitives.WriteInt32LittleEndian(value, ++number);
                foreach (var key in keys) busy.Put(key, value, Durability.Relaxed);
                began.Set();
            }
        });
        writer.Start();
        began.Wait();
        for (var round = 1UL; round <= 8; round++)
        {
            busy.BackUp(Backups);
            backups.Restore(round, $"/restored{round}");
            using var restored = ShardedTestStore.Open(disk, $"/restored{round}");
            var values = keys.Select(key => BinaryPrimitives.ReadInt32LittleEndian(restored.Get(key))).ToArray();
            Assert.True(values.SequenceEqual(values.OrderDescending()) && values[0] - values[^1] <= 1, string.Join(' ', values));
        }

        Volatile.Write(ref isOver, true);
        writer.Join();
    }

    [Fact]
    public void A_damaged_record_is_told_and_keeps_everything_from_being_deleted()
    {
        Fill(0, 50);
        store.BackUp(Backups);
        store.BackUp(Backups);
        Flip($"{Backups}/backup-000002", 41);
        Assert.NotNull(backups.List()[1].Damage);
        Assert.Throws<CorruptDataException>(() => backups.Restore(2, Restored));
        Assert.Throws<CorruptDataException>(() => backups.Verify(2));
        Assert.Equal(3UL, store.BackUp(Backups).Number);
        backups.Delete(1);
        Assert.Equal([1UL, 2UL, 3UL], new KeyValueBackups($"{Backups}/shard-000", TestStore.Small(disk)).List().Select(backup => backup.Number));
    }

    [Fact]
    public void Damage_to_a_shard_leaves_no_store_behind()
    {
        Fill(0, 50);
        store.BackUp(Backups);
        Flip($"{Backups}/shard-002/{disk.List($"{Backups}/shard-002").First(name => name.StartsWith("log-", StringComparison.Ordinal))}", 100);
        Assert.False(backups.Verify(1).IsClean);
        Assert.Throws<CorruptDataException>(() => backups.Restore(1, Restored));
        Assert.False(ShardedKeyValueStore.IsSharded(Restored, disk));
        Assert.Throws<StorageException>(() => backups.Restore(7, "/other"));
    }

    [Fact]
    public void Any_operation_on_the_backups_may_fail_and_nothing_else_is_harmed()
    {
        var rule = new FaultRule(FaultOperations.Changes, FaultKind.InputOutputError) { PathPattern = Backups + "*" };
        FaultSweep.Run(rule, TestStore.NewDisk, faulty =>
        {
            var reported = new List<ulong>();
            using var small = ShardedTestStore.Open(faulty, shards: 2);
            small.Put("a", "1");
            for (var i = 0; i < 2; i++)
            {
                try
                {
                    reported.Add(small.BackUp(Backups).Number);
                }
                catch (StorageException)
                {
                }
            }

            faulty.Heal();
            reported.Add(small.BackUp(Backups).Number);
            var all = new ShardedKeyValueBackups(Backups, TestStore.Small(faulty));
            foreach (var number in reported) Assert.True(all.Verify(number).IsClean);
            all.Restore(reported[^1], Restored);
            using var restored = ShardedKeyValueStore.Open(Restored, ShardedTestStore.Small(faulty, null));
            Assert.Equal("a=1", restored.ReadAll());
        });
    }

    [Fact]
    public void Record_of_a_backup()
    {
        const string Head =
            "4153484c5253424b01000000fe48fb3c03000000000000000080982817650600020000005400000003000000000000004d0000000000000004000000000000004e00000000000000";
        const string Layout =
            "4153484c52534844010000004e8e265d00112233445566778899aabbccddeeff02000100080004000000000000000000"
            + "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20686f742f";
        var layout = ShardFile.Decode(Convert.FromHexString(Layout), "/SHARDS");
        var bytes = new ShardedBackupRecord(3, 1_800_000_000_000_000, [new(3, 77), new(4, 78)], layout).Encode();
        Assert.Equal(Head + Layout, Convert.ToHexStringLower(bytes));
        var read = ShardedBackupRecord.Decode(bytes, "/backup");
        Assert.Equal((3UL, new ShardBackup(4, 78), layout.StoreId), (read.Number, read.Shards[1], read.Layout.StoreId));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<CorruptDataException>(() => ShardedBackupRecord.Decode(bytes.AsSpan(0, length), "/backup"));
        Assert.Throws<UnsupportedFormatException>(() => ShardedBackupRecord.Decode(new byte[100], "/backup"));
    }

    void Fill(int from, int to)
    {
        for (var i = from; i < to; i++) store.Put($"key{i:d4}", $"{i}".PadLeft(60), Durability.Relaxed);
    }

    string Read(string directory)
    {
        using var restored = ShardedTestStore.Open(disk, directory);
        Assert.True(restored.Verify().IsClean);
        return restored.ReadAll();
    }

    void Flip(string path, int offset)
    {
        using var file = disk.Open(path, FileOpenMode.Existing);
        Span<byte> one = stackalloc byte[1];
        file.Read(one, offset);
        one[0] ^= 4;
        file.Write(one, offset);
    }
}
