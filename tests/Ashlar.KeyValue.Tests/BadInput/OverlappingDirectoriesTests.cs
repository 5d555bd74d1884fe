using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Archive, backups and repaired store are not in the directory of a store, and it is not in theirs: whoever removes one would lose the
/// other.
/// </summary>
[Trait("disk", "any")]
public sealed class OverlappingDirectoriesTests : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("group/store")]
    [InlineData("group/store/archive")]
    [InlineData("group/store/deep/down")]
    [InlineData("group")]
    [InlineData("group/store/../store/x")]
    public void They_are_refused_with_the_name_of_the_option_and_both_paths(string other)
    {
        var store = directory["group/store"];
        var archive = Assert.Throws<ArgumentException>(
            () => KeyValueStore.Open(store, new() { LogArchiveDirectory = directory[other] }));
        Require(archive, nameof(KeyValueOptions.LogArchiveDirectory), directory[other], store);
        Assert.False(Directory.Exists(store)); // Nothing was begun.

        using (var opened = KeyValueStore.Open(store))
        {
            var files = Directory.GetFileSystemEntries(store).Order().ToArray();
            Require(Assert.Throws<ArgumentException>(() => opened.BackUp(directory[other])), "directory", directory[other], store);
            using var pending = opened.BeginBackup();
            Require(Assert.Throws<ArgumentException>(() => pending.Write(directory[other])), "directory", directory[other], store);
            Assert.Equal(files, Directory.GetFileSystemEntries(store).Order());
        }

        Require(Assert.Throws<ArgumentException>(() => KeyValueRepair.Run(store, directory[other])), "target", directory[other], store);
    }

    [Fact]
    public void Names_that_only_begin_alike_are_no_overlap()
    {
        using var store = KeyValueStore.Open(
            directory["store"], new() { FileSystem = RealDisk.Door, LogArchiveDirectory = directory["store-archive"] });
        store.Put("a", "1");
        store.ArchiveLog();
        store.BackUp(directory["stor"]);
        store.BackUp(directory["store2"]);
    }

    [Fact]
    public void Links_do_not_hide_an_overlap()
    {
        using (var created = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door })) created.Put("a", "1");
        Directory.CreateSymbolicLink(directory["link"], directory["store"]);
        using (var store = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door }))
        {
            Assert.Throws<ArgumentException>(() => store.BackUp(directory["link"]));
            Assert.Throws<ArgumentException>(() => store.BackUp(directory["link/backups/of/it"]));
        }

        // An archive may be on a disk that does not answer: opening does not look at it.
        using (var store = KeyValueStore.Open(
            directory["store"], new() { FileSystem = RealDisk.Door, LogArchiveDirectory = directory["link/archive"] }))
        {
            var refusal = Assert.Throws<LogArchiveException>(store.ArchiveLog);
            Assert.Contains(directory["link/archive"], refusal.Message, StringComparison.Ordinal);
            Assert.Contains(directory["store"], refusal.Message, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(directory["store/archive"]));
        using (var byLink = KeyValueStore.Open(directory["link"], new() { FileSystem = RealDisk.Door }))
            Assert.Throws<ArgumentException>(() => byLink.BackUp(directory["store/backups"]));
        Assert.Throws<ArgumentException>(() => KeyValueRepair.Run(directory["link"], directory["store/repaired"]));
    }

    [Fact]
    public void Backups_do_not_go_where_the_archive_is()
    {
        using var store = KeyValueStore.Open(
            directory["store"], new() { FileSystem = RealDisk.Door, LogArchiveDirectory = directory["archive"] });
        Assert.Equal("directory", Assert.Throws<ArgumentException>(() => store.BackUp(directory["archive"])).ParamName);
    }

    static void Require(ArgumentException refusal, string parameter, string other, string store)
    {
        Assert.Equal(parameter, refusal.ParamName);
        Assert.Contains(Path.GetFullPath(other), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(store, refusal.Message, StringComparison.Ordinal);
    }
}
