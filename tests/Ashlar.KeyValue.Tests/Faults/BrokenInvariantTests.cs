using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// An invariant that does not hold is a bug, and what goes by it may do harm. Nothing that meets one is tried again as if it were a failure
/// of the disk: the store tells it, and writes nothing more.
/// </summary>
public sealed class BrokenInvariantTests
{
    const string Archive = "/archive";

    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Theory]
    [InlineData("/log-", "by who writes")]
    [InlineData("/table-", "in the background")]
    public void One_that_is_met_ends_the_writing_although_it_would_hold_the_next_time(string file, string where)
    {
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            if (where == "in the background") store.Put("a", "1");
            Break(file);
            Assert.NotNull(Record.Exception(() =>
            {
                store.Put("b", "1");
                store.Flush();
            }));
            disk.DuringSync = null;
            var refusal = Assert.Throws<StorePoisonedException>(() => store.Put("c", "1"));
            Assert.IsType<InvariantException>(refusal.InnerException);
            Assert.Same(refusal.InnerException, store.Failure!.InnerException);
            if (where == "in the background") Assert.Equal("1", store.Get("a"));
        }

        using var again = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        again.Put("d", "1");
        Assert.Equal(where == "in the background" ? "a=1 b=1 d=1" : "d=1", again.ReadAll());
    }

    [Fact]
    public void One_that_is_met_by_the_archive_ends_archiving_until_the_store_is_opened_anew_and_closing_tells_it()
    {
        var options = TestStore.Small(disk) with { LogArchiveDirectory = Archive };
        var store = KeyValueStore.Open(TestStore.Directory, options);
        store.Put("a", "1");
        Break(Archive);
        Assert.Throws<InvariantException>(store.ArchiveLog);
        disk.DuringSync = null;
        store.Put("b", "1");
        Assert.Throws<InvariantException>(store.ArchiveLog);
        Assert.Contains("planted", store.GetStatistics().LastArchiveFailure, StringComparison.Ordinal);
        Assert.Throws<InvariantException>(store.Close);

        using var again = KeyValueStore.Open(TestStore.Directory, options);
        again.ArchiveLog();
        Assert.Equal((0L, null), (again.GetStatistics().ArchiveLagBytes, again.GetStatistics().LastArchiveFailure));
        Assert.Equal("a=1 b=1", again.ReadAll());
        Assert.Empty(new LogArchive(Archive, options).Verify().Problems);
    }

    void Break(string part) => disk.DuringSync = path =>
    {
        if (path.Contains(part, StringComparison.Ordinal)) throw new InvariantException("planted");
    };
}
