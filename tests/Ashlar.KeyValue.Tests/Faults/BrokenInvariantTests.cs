using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Commit;
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
    [InlineData(typeof(InvariantException), false)]
    [InlineData(typeof(InvariantException), true)]
    [InlineData(typeof(InvalidOperationException), true)]
    public void One_that_is_met_by_the_archive_ends_archiving_until_the_store_is_opened_anew_and_closing_tells_it(Type bug, bool disposes)
    {
        var options = TestStore.Small(disk) with { LogArchiveDirectory = Archive };
        var store = KeyValueStore.Open(TestStore.Directory, options);
        store.Put("a", "1");
        Break(Archive, bug);
        Assert.Throws(bug, store.ArchiveLog);
        disk.DuringSync = null;
        store.Put("b", "1");
        Assert.Throws(bug, store.ArchiveLog);
        Assert.Contains("planted", store.GetStatistics().LastArchiveFailure, StringComparison.Ordinal);
        Assert.Throws(bug, disposes ? store.Dispose : store.Close);

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

    // Three wait in three ways: for the flush alone, for their turn to be published, and for a flush of their own.
    [Theory]
    [InlineData("durable beyond what was written")]
    [InlineData("published beyond what was written")]
    public async Task One_that_is_met_after_a_flush_is_told_to_all_who_wait_and_the_store_can_be_closed(string what)
    {
        var options = TestStore.Small(disk) with { MaxInFlightSyncs = 2 };
        var store = KeyValueStore.Open(TestStore.Directory, options);
        store.Put("a", "1");
        var waiting = new List<Task>();
        using var another = new ManualResetEventSlim();
        var flushes = 0;
        disk.DuringSync = path =>
        {
            if (!path.Contains("/log-", StringComparison.Ordinal)) return;
            if (Interlocked.Increment(ref flushes) != 1)
            {
                another.Set();
                return;
            }

            waiting.Add(store.SyncAsync().AsTask());
            waiting.Add(PutAsync(store, "c", Durability.Unflushed));
            waiting.Add(PutAsync(store, "d", Durability.Sync));
            another.Wait(); // What is between it and this flush is written by now.
            if (what.StartsWith("durable", StringComparison.Ordinal)) LastSequenceOf(CommitterOf(store)) = 0;
            else store.State.Publish(ulong.MaxValue);
        };
        var refusals = new List<StorePoisonedException> { Assert.Throws<StorePoisonedException>(() => store.Put("b", "1")) };
        foreach (var write in waiting) refusals.Add(await Assert.ThrowsAsync<StorePoisonedException>(() => write));
        refusals.Add(Assert.Throws<StorePoisonedException>(() => store.Put("e", "1")));
        refusals.Add(Assert.Throws<StorePoisonedException>(store.Close));
        Assert.Single(refusals.Select(refusal => Assert.IsType<InvariantException>(refusal.InnerException)).Distinct());

        disk.DuringSync = null;
        using var again = KeyValueStore.Open(TestStore.Directory, options);
        Assert.StartsWith("a=1 b=1", again.ReadAll(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_met_when_a_group_is_published_is_told_to_the_group_and_to_all_behind_it()
    {
        KeyValueStore store = null!;
        var isWatched = false;
        var waiting = new List<Task>();
        var writes = 0;
        var watched = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isWatched || operation != FaultOperations.Write || !path.Contains("/log-", StringComparison.Ordinal)) return;
                writes++;
                if (writes == 1) waiting.AddRange(PutAsync(store, "c", Durability.Unflushed), PutAsync(store, "d", Durability.Unflushed));
                if (writes != 2) return;
                waiting.Add(PutAsync(store, "e", Durability.Unflushed));
                store.State.Publish(ulong.MaxValue);
            },
        };
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(watched));
        store.Put("a", "1");
        isWatched = true;
        store.Put("b", "1", Durability.Unflushed); // It leads the group of the others, too, and is done by then.
        Assert.Equal(3, waiting.Count);
        foreach (var write in waiting)
            Assert.IsType<InvariantException>((await Assert.ThrowsAsync<StorePoisonedException>(() => write)).InnerException);
        Assert.Throws<StorePoisonedException>(store.Close);
    }

    [Fact]
    public void Closing_tells_one_of_the_archive_rather_than_what_the_disk_refused_before()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { LogArchiveDirectory = Archive });
        store.Put("a", "1");
        Break(Archive);
        Assert.Throws<InvariantException>(store.ArchiveLog);
        store.Put("b", "1", Durability.Unflushed);
        var isRefused = false;
        disk.DuringSync = path =>
        {
            isRefused = true;
            throw new StorageException("fdatasync", path, StorageErrorKind.InputOutput, 5, "planted");
        };
        Assert.Throws<InvariantException>(store.Dispose);
        Assert.True(isRefused);
        Assert.IsType<StorageException>(store.Failure!.InnerException);
    }

    static Task PutAsync(KeyValueStore store, string key, Durability durability) =>
        store.PutAsync(TestStore.Bytes(key), TestStore.Bytes("1"), durability).AsTask();

    void Break(string part, Type? bug = null) => disk.DuringSync = path =>
    {
        if (path.Contains(part, StringComparison.Ordinal))
            throw (Exception)Activator.CreateInstance(bug ?? typeof(InvariantException), "planted")!;
    };

    // What no operation of the disk breaks is broken from here.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "committer")]
    static extern ref Committer CommitterOf(KeyValueStore store);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "lastSequence")]
    static extern ref ulong LastSequenceOf(Committer committer);
}
