using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any")]
public sealed class BackupTests : IDisposable
{
    const string Backups = "/backups";
    const string Restored = "/restored";

    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly KeyValueOptions options;
    readonly KeyValueStore store;
    readonly KeyValueBackups backups;

    public BackupTests()
    {
        options = TestStore.Small(disk) with { SeparatedValueBytes = 90 };
        store = KeyValueStore.Open(TestStore.Directory, options);
        backups = new KeyValueBackups(Backups, options);
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_backup_of_a_store_that_is_open_holds_what_was_written_before_and_nothing_later()
    {
        Fill(0, 300);
        store.Put("relaxed", "1", Durability.Relaxed);
        var expected = store.ReadAll();
        var sequence = store.VisibleSequence;
        var backup = store.BackUp(Backups);
        Fill(100, 400);

        Assert.Equal((1UL, sequence, store.StoreId), (backup.Number, backup.Sequence, backup.StoreId));
        Assert.Equal(expected, RestoreAndRead(1));
        Assert.True(backups.Verify(1).IsClean);
    }

    [Fact]
    public void An_empty_store_can_be_backed_up()
    {
        store.BackUp(Backups);
        Assert.Equal("", RestoreAndRead(1));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void The_number_of_a_backup_is_never_used_again(bool hasBackupsLeft)
    {
        store.Put("a", "1");
        for (var number = 1UL; number <= 3; number++) Assert.Equal(number, store.BackUp(Backups).Number);
        backups.Delete(2);
        backups.Delete(3);
        if (!hasBackupsLeft) backups.Delete(1);
        Assert.Equal(hasBackupsLeft ? [1UL] : [], backups.List().Select(backup => backup.Number));
        Assert.Equal(4UL, store.BackUp(Backups).Number);
        backups.Delete(4);
        Assert.Equal(5UL, store.BackUp(Backups).Number);
        Assert.Equal("a=1", RestoreAndRead(5));
        Assert.Throws<StorageException>(() => backups.Restore(4, "/other"));
    }

    [Fact]
    public void The_next_backup_copies_only_what_is_new()
    {
        Fill(0, 300);
        store.Compact();
        var first = store.BackUp(Backups);
        store.Put("later", "1");
        var second = store.BackUp(Backups);
        Assert.Equal(first.SizeBytes, first.OwnBytes);
        Assert.True(second.OwnBytes < first.OwnBytes / 4, $"{second.OwnBytes} of {second.SizeBytes}");
        Assert.Equal([first, second], backups.List());
        Assert.Equal(store.ReadAll(), RestoreAndRead(2));
    }

    [Fact]
    public void A_full_backup_shares_nothing()
    {
        Fill(0, 300);
        store.BackUp(Backups);
        var full = store.BackUp(Backups, BackupMode.Full);
        Assert.Equal(full.SizeBytes, full.OwnBytes);
        backups.Delete(1);
        Assert.Equal(store.ReadAll(), RestoreAndRead(2));
    }

    [Fact]
    public void Deleting_a_backup_leaves_the_others_whole_and_nothing_behind()
    {
        Fill(0, 200);
        store.BackUp(Backups);
        Fill(100, 300);
        store.Compact();
        store.BackUp(Backups);
        backups.Delete(1);
        Assert.Equal([2UL], backups.List().Select(backup => backup.Number));
        Assert.Equal(store.ReadAll(), RestoreAndRead(2));
        Assert.Equal(3UL, store.BackUp(Backups).Number);
        backups.Delete(2);
        backups.Delete(3);
        Assert.Equal(["LOCK", "deleted-000003"], disk.List(Backups));
    }

    [Fact]
    public void A_restored_store_goes_on_and_can_be_backed_up_beside_the_original()
    {
        Fill(0, 200);
        store.BackUp(Backups);
        backups.Restore(1, Restored);
        Fill(200, 300);
        using (var restored = KeyValueStore.Open(Restored, options))
        {
            Assert.Equal(store.StoreId, restored.StoreId);
            for (var i = 0; i < 300; i++) restored.Put($"other{i:d3}", new string('o', 80));
            restored.Compact();
            Assert.True(restored.Verify().IsClean);
            restored.BackUp(Backups);
            store.BackUp(Backups);
            Assert.Equal(restored.ReadAll(), RestoreAndRead(2, "/second"));
            Assert.Equal(store.ReadAll(), RestoreAndRead(3, "/third"));
        }
    }

    // Values that end with their own CRC: the tables have one number, length and CRC.
    [Fact]
    public void A_restored_store_never_shares_the_tables_of_the_history_that_it_left()
    {
        store.BackUp(Backups);
        backups.Restore(1, Restored);
        PutSealed(store, seed: 1);
        store.BackUp(Backups);
        using (var restored = KeyValueStore.Open(Restored, options))
        {
            PutSealed(restored, seed: 2);
            restored.BackUp(Backups);
        }

        backups.Restore(3, "/third");
        using var third = KeyValueStore.Open("/third", options);
        Assert.Equal(Sealed(seed: 2), third.Get("a"u8));
    }

    static void PutSealed(KeyValueStore store, int seed)
    {
        store.Put("a"u8, Sealed(seed));
        store.Compact();
    }

    static byte[] Sealed(int seed)
    {
        var value = new SeededRandom((ulong)seed).Bytes(80);
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(76), Crc32C.Compute(value.AsSpan(0, 76)));
        return value;
    }

    [Fact]
    public void A_store_that_is_only_read_can_be_backed_up()
    {
        Fill(0, 200);
        store.Dispose();
        using (var reader = KeyValueStore.Open(
            TestStore.Directory, options with { FileSystem = new ReadOnlyFileSystem(disk, TestStore.Directory), ReadOnly = true }))
            reader.BackUp(Backups);
        Assert.Equal(200, RestoreAndRead(1).Split(' ').Length);
    }

    [Fact]
    public void A_store_is_restored_only_into_an_empty_directory()
    {
        store.BackUp(Backups);
        var error = Assert.Throws<StorageException>(() => backups.Restore(1, TestStore.Directory + "/.."));
        Assert.Equal(StorageErrorKind.AlreadyExists, error.Kind);
        disk.CreateDirectory(Restored);
        disk.CreateDirectory($"{Restored}/lost+found");
        error = Assert.Throws<StorageException>(() => backups.Restore(1, Restored));
        Assert.Contains("\"lost+found\" is in it", error.Message, StringComparison.Ordinal);
        disk.DeleteDirectory($"{Restored}/lost+found");
        backups.Restore(1, Restored);
        Assert.Equal(StorageErrorKind.AlreadyExists, Assert.Throws<StorageException>(() => backups.Restore(1, Restored)).Kind);
    }

    [Fact]
    public void What_does_not_exist_is_an_error()
    {
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => backups.List()).Kind);
        store.BackUp(Backups);
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => backups.Verify(7)).Kind);
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => backups.Restore(7, Restored)).Kind);
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => backups.Delete(7)).Kind);
        Assert.Throws<ArgumentException>(() => store.BackUp(TestStore.Directory));
    }

    [Fact]
    public void Two_backups_into_one_directory_at_a_time_are_refused()
    {
        disk.CreateDirectory(Backups);
        using (disk.Lock($"{Backups}/LOCK")) Assert.Throws<LockedException>(() => store.BackUp(Backups));
        store.BackUp(Backups);
    }

    [Fact]
    public void Damage_to_any_byte_of_a_backup_is_noticed_and_never_restored()
    {
        Fill(0, 30);
        store.Flush();
        store.Put("tail", "1");
        store.BackUp(Backups);
        var image = StoreImage.Take(disk, Backups);
        foreach (var (name, bytes) in image.Files.Where(file => file.Key != "LOCK"))
        {
            // Each byte of what is read first, and every thirteenth of the rest: the places within sectors and records differ.
            for (var at = 0; at < bytes.Length; at += name.StartsWith("backup-", StringComparison.Ordinal) || at < 64 ? 1 : 13)
            {
                Flip(name, at);
                if (name.StartsWith("backup-", StringComparison.Ordinal))
                {
                    var error = Assert.ThrowsAny<AshlarException>(() => backups.Restore(1, Restored));
                    Assert.Contains($"{Backups}/{name}", error.Message, StringComparison.Ordinal);
                }
                else
                {
                    Assert.Equal($"{Backups}/{name}", Assert.Single(backups.Verify(1).Problems).FilePath);
                    Assert.Throws<CorruptDataException>(() => backups.Restore(1, Restored));
                    Assert.Equal(["LOCK"], disk.List(Restored));
                }

                Flip(name, at);
            }
        }

        Assert.True(backups.Verify(1).IsClean);
    }

    [Fact]
    public void A_damaged_record_is_listed_and_its_files_are_left_alone()
    {
        Fill(0, 100);
        store.BackUp(Backups);
        Flip("backup-000001", 40);
        Assert.NotNull(Assert.Single(backups.List()).Damage);
        Assert.Equal(2UL, store.BackUp(Backups).Number);
        Flip("backup-000001", 40);
        Assert.True(backups.Verify(1).IsClean);
        Assert.True(backups.Verify(2).IsClean);
    }

    [Fact]
    public void Damage_of_the_store_does_not_become_a_backup()
    {
        Fill(0, 300);
        store.Compact();
        var name = disk.List(TestStore.Directory).First(name => name.StartsWith("table-", StringComparison.Ordinal));
        Flip(name, 100, TestStore.Directory);
        Assert.Throws<CorruptDataException>(() => store.BackUp(Backups));
        Assert.Empty(backups.List());
        Flip(name, 100, TestStore.Directory);
        store.BackUp(Backups);
        Assert.Equal(store.ReadAll(), RestoreAndRead(1));
    }

    [Fact]
    public async Task Backups_while_others_write_hold_a_prefix()
    {
        store.Dispose();
        using var busy = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk, inline: false));
        using var stop = new CancellationTokenSource();
        var mayWrite = 3000;
        var writer = Task.Run(() =>
        {
            // As far ahead of the reader as it likes, and no further: the slower that is, the longer its work would become.
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                while (i > Volatile.Read(ref mayWrite) && !stop.IsCancellationRequested) Thread.Yield();
                busy.Put($"{i:d8}", new string('w', 200), i % 3 == 0 ? Durability.Sync : Durability.Relaxed);
            }
        });
        for (var number = 1UL; number <= 6; number++)
        {
            while (busy.VisibleSequence < number * 200 && !writer.IsCompleted) await Task.Yield();
            var before = busy.VisibleSequence;
            Volatile.Write(ref mayWrite, (int)before + 3000);
            var backup = busy.BackUp(Backups);
            Assert.True(backup.Sequence >= before);
            // The n-th write has key n: as many entries as sequences, without a gap.
            var read = RestoreAndRead(number, $"/restored{number}").Split(' ');
            Assert.Equal(backup.Sequence, (ulong)read.Length);
            Assert.StartsWith($"{read.Length - 1:d8}=", read[^1], StringComparison.Ordinal);
        }

        await stop.CancelAsync();
        await writer;
    }

    void Fill(int from, int to)
    {
        for (var i = from; i < to; i++) store.Put($"key{i:d3}", $"{i}".PadLeft(100, 'v'));
    }

    string RestoreAndRead(ulong number, string target = Restored)
    {
        backups.Restore(number, target);
        using var restored = KeyValueStore.Open(target, options);
        Assert.True(restored.Verify().IsClean);
        return restored.ReadAll();
    }

    void Flip(string name, long at, string directory = Backups)
    {
        using var file = disk.Open($"{directory}/{name}", FileOpenMode.Existing);
        var bytes = new byte[1];
        file.Read(bytes, at);
        bytes[0] ^= 4;
        file.Write(bytes, at);
    }
}
