using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A backup that is begun at one moment and written later, as whoever backs up several stores together does.</summary>
[Trait("disk", "any")]
public sealed class PendingBackupTests
{
    readonly IFileSystem disk = TestStore.AnyDisk();

    KeyValueOptions Options => TestStore.Small(disk) with { SeparatedValueBytes = 90 };

    [Fact]
    public void It_is_of_the_moment_when_it_was_begun_whatever_becomes_of_the_files_until_it_is_written()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options);
        for (var i = 0; i < 300; i++) store.Put($"{i:d3}", new string('v', i), Durability.Relaxed);
        var expected = store.ReadAll();
        var sequence = store.VisibleSequence;
        using var pending = store.BeginBackup();
        Assert.Equal((sequence, sequence), (pending.Sequence, store.DurableSequence));
        for (var i = 0; i < 300; i++) store.Put($"{i:d3}", "later");
        store.Compact();
        Assert.Equal(sequence, pending.Sequence);
        foreach (var backups in (string[])["/first", "/second"])
        {
            var info = pending.Write(backups);
            Assert.Equal(sequence, info.Sequence);
            new KeyValueBackups(backups, Options).Restore(info.Number, $"{backups}-restored");
            using var restored = KeyValueStore.Open($"{backups}-restored", Options);
            Assert.Equal(expected, restored.ReadAll());
        }
    }

    [Fact]
    public void What_is_durable_is_asked_while_the_log_cannot_go_on_to_another_segment()
    {
        var files = new StoreFiles(disk, TestStore.Directory);
        disk.CreateDirectory(TestStore.Directory);
        using var manifest = Manifest.Create(files, Options);
        var asked = 0;
        using var source = BackupSource.Take(files, manifest, default, 0, () =>
        {
            Assert.True(manifest.Gate.IsHeldByCurrentThread);
            asked++;
            return 0;
        });
        Assert.Equal(1, asked);
    }

    [Fact]
    public void It_is_refused_once_it_was_let_go_of_or_its_store_is_closed()
    {
        var store = KeyValueStore.Open(TestStore.Directory, Options);
        store.Put("a", "1");
        var pending = store.BeginBackup();
        pending.Dispose();
        pending.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pending.Write("/backups"));
        using var other = store.BeginBackup();
        Assert.Throws<ArgumentException>(() => other.Write(TestStore.Directory));
        store.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.Write("/backups"));
        Assert.Throws<ObjectDisposedException>(() => store.BeginBackup());
        Assert.False(disk.DirectoryExists("/backups"));
    }
}
