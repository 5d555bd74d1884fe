using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// What is asked for and is not there, or is something else: the error says what was looked for, where, and what is there.
/// </summary>
[Trait("disk", "any")]
public sealed class MissingThingsTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_backup_that_does_not_exist_is_named_with_those_that_do()
    {
        using var store = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door });
        var backups = new KeyValueBackups(directory["backups"]);
        for (var number = 0; number < 2; number++) store.BackUp(directory["backups"]);
        foreach (var call in (Action[])[() => backups.Restore(7, directory["x"]), () => backups.Verify(7), () => backups.Delete(7)])
            RequireMissing(call, $"there is no backup 7 in {directory["backups"]}; there are: 1, 2");
        Assert.False(Directory.Exists(directory["x"]));
        for (var number = 0; number < 5; number++) store.BackUp(directory["backups"]);
        RequireMissing(() => backups.Verify(77), "there are: 7, from 1 to 7");
        for (var number = 1UL; number <= 7; number++) backups.Delete(number);
        RequireMissing(() => backups.Verify(7), "there are: none at all");
    }

    [Fact]
    public void A_directory_of_backups_or_an_archive_that_does_not_exist_or_is_a_file_is_said_to_be_so()
    {
        File.WriteAllText(directory["file"], "mine");
        foreach (var (name, what) in new[] { ("nowhere", "there is no "), ("file", "this is a file, no ") })
        {
            var backups = new KeyValueBackups(directory[name]);
            var archive = new LogArchive(directory[name]);
            Action[] ofBackups =
            [
                () => backups.List(), () => backups.Verify(1), () => backups.Restore(1, directory["x"]), () => backups.Delete(1),
            ];
            foreach (var call in ofBackups) RequireMissing(call, what + "directory of backups");
            foreach (var call in (Action[])[() => archive.Inspect(), () => archive.Verify(), () => archive.Prune(backups)])
                RequireMissing(call, what + "archive of a log");
            RequireMissing(() => backups.Restore(RestorePoint.Latest, archive, directory["x"]), what);
            RequireMissing(() => KeyValueRepair.Run(directory[name], directory["x"]), what + "directory of a store");
            Assert.Equal(["file"], Directory.GetFileSystemEntries(directory["."]).Select(Path.GetFileName)); // Nothing was begun.
        }
    }

    [Fact]
    public void A_store_where_a_file_is_in_the_way_is_refused_with_what_is_in_the_way()
    {
        File.WriteAllText(directory["file"], "mine");
        File.CreateSymbolicLink(directory["link"], directory["nowhere"]);
        foreach (var path in (string[])["file", "file/store", "file/deep/store"])
        {
            var refusal = Assert.Throws<StorageException>(() => KeyValueStore.Open(directory[path], new() { FileSystem = RealDisk.Door }));
            Assert.Equal((StorageErrorKind.AlreadyExists, directory["file"]), (refusal.Kind, refusal.Path));
            Assert.Contains("a directory is needed here, and this is a file", refusal.Message, StringComparison.Ordinal);
        }

        var link = Assert.Throws<StorageException>(() => KeyValueStore.Open(directory["link"], new() { FileSystem = RealDisk.Door }));
        Assert.Contains("a symbolic link to nowhere", link.Message, StringComparison.Ordinal);
        using var store = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door });
        Assert.Throws<StorageException>(() => store.BackUp(directory["file"]));
        Assert.Equal("mine", File.ReadAllText(directory["file"]));
    }

    [Fact]
    public void Whoever_meets_a_backup_under_way_learns_what_is_under_way_and_who_does_it()
    {
        using var store = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door });
        store.BackUp(directory["backups"]);
        var backups = new KeyValueBackups(directory["backups"]);
        using (RealDisk.Door.Lock(directory["backups/LOCK"])) // As long as a backup is being made.
        {
            foreach (var call in (Action[])[() => backups.Verify(1), () => backups.Restore(1, directory["x"])])
                RequireLocked(call, $"a backup is being made or deleted here by this process, {Environment.ProcessId}");
            foreach (var call in (Action[])[() => backups.Delete(1), () => store.BackUp(directory["backups"])])
                RequireLocked(call, $"a backup is being made, deleted or read here by this process, {Environment.ProcessId}");
        }

        using (RealDisk.Door.LockShared(directory["backups/LOCK"]))
            RequireLocked(() => backups.Delete(1), "a backup is being made, deleted or read here, by a process that is not known");
        backups.Restore(1, directory["x"]);
    }

    static void RequireMissing(Action call, string said)
    {
        var refusal = Assert.Throws<StorageException>(call);
        Assert.Equal(StorageErrorKind.NotFound, refusal.Kind);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("errno", refusal.Message, StringComparison.Ordinal);
    }

    static void RequireLocked(Action call, string said) =>
        Assert.Contains(said, Assert.Throws<LockedException>(call).Message, StringComparison.Ordinal);
}
