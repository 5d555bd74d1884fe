using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>On a full disk a salted key is deleted as any other is, although what is written for it is a put.</summary>
public sealed class SaltedFullDiskTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Fact]
    public void Salted_keys_can_be_deleted_on_a_full_disk()
    {
        using var store = Open();
        var keys = Fill(store);
        Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => store.Put("hot/new", new string('v', 500))).Kind);
        foreach (var key in keys) store.Delete(TestStore.Bytes(key), Durability.Relaxed);
        Assert.Equal("", store.ReadAll());
        Assert.Null(store.Failure);
    }

    [Fact]
    public void A_batch_that_may_use_the_reserve_may_do_so_for_salted_keys()
    {
        using var store = Open();
        Fill(store);
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Put("hot/deleting"u8, new byte[700]);
        store.Write(batch);
        Assert.Equal(700, store.Get("hot/deleting"u8)!.Length);
    }

    [Fact]
    public async Task Nobody_is_refused_because_of_those_that_are_written_with_it()
    {
        using var store = Open(shards: 1);
        Fill(store);
        using var began = new SemaphoreSlim(0);
        using var mayReturn = new ManualResetEventSlim();
        disk.DuringSync = _ =>
        {
            began.Release();
            mayReturn.Wait();
        };
        var leader = Task.Factory.StartNew(
            () => store.Delete("hot/1"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await began.WaitAsync();
        // These two wait for the leader, and are written together.
        var put = store.WriteAsync(Batch(batch => batch.Put("hot/new"u8, new byte[500]))).AsTask();
        var delete = store.WriteAsync(Batch(batch => batch.Delete("hot/2"u8))).AsTask();
        disk.DuringSync = null;
        mayReturn.Set();
        await leader;
        await delete;
        Assert.Equal(StorageErrorKind.NoSpace, (await Assert.ThrowsAsync<StorageException>(() => put)).Kind);
        Assert.Equal([null, null, null], new[] { "hot/1", "hot/2", "hot/new" }.Select(store.Get));
    }

    ShardedKeyValueStore Open(int shards = 2)
    {
        disk.CapacityBytes = shards * (600 << 10);
        return ShardedKeyValueStore.Open(TestStore.Directory, new()
        {
            ShardCount = shards,
            SaltedPrefix = "hot/"u8.ToArray(),
            OneByOne = true,
            Store = TestStore.Small(disk) with
            {
                TableBytes = 16 << 10,
                SpaceReserveBytes = shards * (160 << 10),
                ManifestRewriteBytes = 4096,
            },
        });
    }

    static List<string> Fill(ShardedKeyValueStore store)
    {
        var keys = new List<string>();
        try
        {
            while (keys.Count < 100_000)
            {
                store.Put($"hot/{keys.Count}", new string('v', 500), Durability.Relaxed);
                keys.Add($"hot/{keys.Count}");
            }

            Assert.Fail($"The disk takes {keys.Count} values and is not full.");
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            // One shard is full; the other may take a few more, and must not.
        }

        for (var refused = 0; refused < store.ShardCount;)
        {
            try
            {
                store.Put("hot/last", new string('v', 500), Durability.Relaxed);
                refused = 0;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                refused++;
            }
        }

        return [.. keys, "hot/last"];
    }

    static WriteBatch Batch(Action<WriteBatch> fill)
    {
        var batch = new WriteBatch();
        fill(batch);
        return batch;
    }
}
