using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_is_met_by_the_archive_ends_archiving_until_the_store_is_opened_anew_and_closing_tells_it(bool disposes)
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
        Assert.Throws<InvariantException>(disposes ? store.Dispose : store.Close);

        using var again = KeyValueStore.Open(TestStore.Directory, options);
        again.ArchiveLog();
        Assert.Equal((0L, null), (again.GetStatistics().ArchiveLagBytes, again.GetStatistics().LastArchiveFailure));
        Assert.Equal("a=1 b=1", again.ReadAll());
        Assert.Empty(new LogArchive(Archive, options).Verify().Problems);
    }

    [Theory]
    [InlineData(Durability.Sync)]
    [InlineData(Durability.Relaxed)]
    [InlineData(Durability.Unflushed)]
    public async Task One_that_is_met_behind_the_flush_leaves_no_writer_waiting(Durability durability)
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1");
        store.State.Publish(ulong.MaxValue); // What is published next would take that back.
        Task[] writers =
        [
            .. Enumerable.Range(0, 8).Select(i => i % 2 == 0
                ? Task.Run(() => store.Put($"b{i}", "1", durability))
                : store.PutAsync(TestStore.Bytes($"b{i}"), TestStore.Bytes("1"), durability).AsTask()),
        ];
        foreach (var writer in writers) await Assert.ThrowsAsync<StorePoisonedException>(() => writer.WaitAsync(Waiting.Limit));
        var refusal = Assert.Throws<StorePoisonedException>(() => store.Put("c", "1"));
        Assert.IsType<InvariantException>(refusal.InnerException);
        await Assert.ThrowsAsync<StorePoisonedException>(() => Task.Run(store.Close).WaitAsync(Waiting.Limit));
        using var again = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal("1", again.Get("a"u8) is { } value ? System.Text.Encoding.UTF8.GetString(value) : null);
    }

    void Break(string part) => disk.DuringSync = path =>
    {
        if (path.Contains(part, StringComparison.Ordinal)) throw new InvariantException("planted");
    };
}
