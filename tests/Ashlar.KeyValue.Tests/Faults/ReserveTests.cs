using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>What puts may use of the space that is kept for a full disk, and what they leave to deletes.</summary>
public sealed class ReserveTests
{
    const int KeyCount = 1000;

    // Not with background threads: others would take what a merge gives back before it is kept again.
    [Fact]
    public void Puts_that_may_use_the_reserve_are_taken_on_a_full_disk_until_their_part_is_used_up_and_deletes_go_on()
    {
        using var disk = new CrowdedDisk();
        using var store = OpenAndFill(disk, inline: true);
        Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => store.Put("ordinary", "x")).Kind);

        var taken = 0;
        StorageException? refusal = null;
        for (; refusal is null && taken < 100_000; disk.TakeWhatIsFree())
        {
            try
            {
                store.Write(MetadataBatch($"meta {taken:d6}", 300));
                taken++;
            }
            catch (StorageException full)
            {
                refusal = full;
            }
        }

        Assert.InRange(taken, 20, 99_999);
        Assert.Equal(StorageErrorKind.NoSpace, refusal?.Kind);
        Assert.Null(store.Failure);
        Assert.Null(store.Get($"meta {taken:d6}"));
        for (var i = 0; i < KeyCount; i++)
        {
            store.Delete($"{i:d4}");
            disk.TakeWhatIsFree();
        }

        for (var i = 0; i < taken; i++) Assert.Equal(300, store.Get($"meta {i:d6}")?.Length);
        Assert.Null(store.Get("0000"));
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void The_reserve_is_filled_up_again_when_there_is_room()
    {
        using var disk = new CrowdedDisk();
        using var store = OpenAndFill(disk, inline: true);
        for (var round = 0; round < 3; round++)
        {
            var taken = 0;
            while (TryWrite(store, MetadataBatch($"{round} {taken:d6}", 300)))
            {
                taken++;
                disk.TakeWhatIsFree();
            }

            Assert.InRange(taken, 20, 99_999);
            disk.GiveBack(2 << 20);
            Assert.True(TryWrite(store, MetadataBatch("again", 300)));
            store.Put("ordinary", "x"); // And with it the others.
            disk.TakeWhatIsFree();
        }
    }

    [Theory, InlineData(100, true), InlineData(100_000, false)]
    public async Task Nobody_is_refused_because_of_others_in_the_same_group(int metadataBytes, bool isMetadataTaken)
    {
        using var disk = new CrowdedDisk();
        using var isWriting = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        var isArmed = false;
        var faulty = new FaultyFileSystem(disk.Disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Write || !path.Contains("log-", StringComparison.Ordinal)) return;
                if (!Interlocked.Exchange(ref isArmed, false)) return;
                isWriting.Set();
                mayGoOn.Wait();
            },
        };
        using var store = KeyValueStore.Open(TestStore.Directory, Options(faulty, inline: true));
        store.Put("a", "1");
        store.Flush();
        store.Put("b", "1");
        Volatile.Write(ref isArmed, true);
        var first = Task.Run(() => store.Put("c", "1"));
        isWriting.Wait(); // Whoever comes now waits in one group.
        var put = store.PutAsync("d"u8, new byte[20_000]);
        var metadata = store.WriteAsync(MetadataBatch("e", metadataBytes));
        var delete = store.DeleteAsync("a"u8);
        var nothing = store.WriteAsync(new WriteBatch());
        disk.TakeWhatIsFree();
        mayGoOn.Set();

        await first;
        await delete;
        await nothing;
        Assert.Equal(StorageErrorKind.NoSpace, (await Assert.ThrowsAsync<StorageException>(put.AsTask)).Kind);
        if (isMetadataTaken) await metadata;
        else Assert.Equal(StorageErrorKind.NoSpace, (await Assert.ThrowsAsync<StorageException>(metadata.AsTask)).Kind);
        Assert.Null(store.Failure);
        Assert.Equal([null, "1", "1", null], new[] { "a", "b", "c", "d" }.Select(store.Get));
        Assert.Equal(isMetadataTaken, store.Get("e") is not null);
    }

    [Fact]
    public async Task Who_only_waits_for_a_flush_gets_it_although_nothing_of_others_can_be_written()
    {
        using var isWriting = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        var isArmed = false;
        var disk = TestStore.NewDisk();
        var faulty = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Write || !path.Contains("log-", StringComparison.Ordinal)) return;
                if (!Interlocked.Exchange(ref isArmed, false)) return;
                isWriting.Set();
                mayGoOn.Wait();
            },
        };
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty) with { MemTableBytes = 1 << 20 });
        store.Put("a", "1");
        Volatile.Write(ref isArmed, true);
        var first = Task.Run(() => store.Put("b", "1", Durability.Relaxed));
        isWriting.Wait(); // Whoever comes now waits in one group.
        var put = store.PutAsync("c"u8, new byte[50_000]);
        var nothing = store.WriteAsync(new WriteBatch());
        faulty.Add(new FaultRule(FaultOperations.Allocate, FaultKind.InputOutputError) { PathPattern = "*log-*" });
        mayGoOn.Set();

        await first;
        await nothing;
        Assert.Equal(StorageErrorKind.InputOutput, (await Assert.ThrowsAsync<StorageException>(put.AsTask)).Kind);
        Assert.Equal(store.VisibleSequence, store.DurableSequence);
        Assert.Null(store.Failure);
        Assert.Null(store.Get("c"));
        store.Put("c", "1");
    }

    [Fact]
    public void A_group_is_thinned_out_by_what_its_members_may_use()
    {
        var group = new CommitGroup(_ => { });
        var put = new WriteBatch();
        put.Put("a"u8, "1"u8);
        var delete = new WriteBatch();
        delete.Delete("b"u8);
        var writes = new[] { put, MetadataBatch("c", 1), delete, null }.Select(batch =>
        {
            var write = new PendingWrite();
            write.Prepare(CommitRequest.Write, batch, Durability.Sync);
            group.Join(write);
            return write;
        }).ToArray();
        var refusal = new InvalidOperationException();

        Assert.Equal(SpaceClaim.None, group.LowestClaim);
        Assert.True(group.RefuseLowestClaim(refusal));
        Assert.Equal(writes[1..], group.Members);
        Assert.Equal(SpaceClaim.PartOfReserve, group.LowestClaim);
        Assert.True(group.RefuseLowestClaim(refusal));
        Assert.Equal(writes[2..], group.Members);
        Assert.Equal(delete.LengthBytes, group.LengthBytes);
        Assert.False(group.RefuseLowestClaim(refusal)); // The whole group fails instead.
        Assert.Equal([refusal, refusal, null, null], writes.Select(write => write.Refusal));
    }

    [Fact]
    public void A_batch_that_was_cleared_may_not_use_the_reserve()
    {
        var batch = MetadataBatch("a", 1);
        batch.Clear();
        Assert.False(batch.MayUseReserve);
    }

    static WriteBatch MetadataBatch(string key, int valueBytes)
    {
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Put(TestStore.Bytes(key), new byte[valueBytes]);
        return batch;
    }

    static bool TryWrite(KeyValueStore store, WriteBatch batch)
    {
        try
        {
            store.Write(batch);
            return true;
        }
        catch (StorageException full)
        {
            Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
            return false;
        }
    }

    static KeyValueOptions Options(IFileSystem disk, bool inline) => TestStore.Small(disk, inline) with
    {
        TableBytes = 16 << 10,
        SpaceReserveBytes = 512 << 10,
        ManifestRewriteBytes = 4096,
    };

    static KeyValueStore OpenAndFill(CrowdedDisk disk, bool inline)
    {
        var store = KeyValueStore.Open(TestStore.Directory, Options(disk.Disk, inline));
        for (var i = 0; i < KeyCount; i++) store.Put($"{i:d4}", new string('x', 200), Durability.Relaxed);
        store.Flush();
        disk.TakeWhatIsFree();
        for (int i = 0, refusals = 0; refusals < 20; i++) // What the log has reserved is its own, and merges may make room for a few more.
        {
            var error = Record.Exception(() => store.Put($"filler {i:d4}", new string('x', 200), Durability.Relaxed));
            disk.TakeWhatIsFree();
            if (error is StorageException { Kind: StorageErrorKind.NoSpace }) refusals++;
            else Assert.Null(error);
        }

        return store;
    }
}
