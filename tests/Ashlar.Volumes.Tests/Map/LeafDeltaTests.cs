using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Where only checksums have changed, and few of them, these are written beside the leaf.</summary>
public sealed class LeafDeltaTests
{
    const int MiB = 1 << 20;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly SeededRandom random = new(TestSeeds.Several(nameof(LeafDeltaTests), 1)[0]);

    [Fact]
    public async Task Overwriting_a_block_writes_its_checksum_and_not_the_leaf()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var model = await FillAsync(pool);
        await CommitAsync(pool);
        Assert.Empty(ReadDeltas(pool.Pool.Store));
        for (var blocks = 1; blocks <= LeafDelta.MaxBlocks; blocks++)
        {
            var whole = ReadLeaf(pool.Pool.Store, 0);
            await OverwriteAsync(model, blocks * 5);
            await CommitAsync(pool);
            Assert.Equal(whole, ReadLeaf(pool.Pool.Store, 0));
            var (key, value) = Assert.Single(ReadDeltas(pool.Pool.Store));
            Assert.Equal((1L, 0L), MapKeys.ReadMarker(key));
            Assert.Equal(blocks, value[1]);
        }

        await CheckAsync(pool, model);
        await pool.ReopenAsync();
        model.Device = pool.Pool.OpenVolume("disk")!;
        await CheckAsync(pool, model);

        // The delta of before counts as well.
        await OverwriteAsync(model, 0);
        await CommitAsync(pool);
        Assert.Empty(ReadDeltas(pool.Pool.Store));
        await CheckAsync(pool, model);
        await pool.ReopenAsync();
        model.Device = pool.Pool.OpenVolume("disk")!;
        await CheckAsync(pool, model);
    }

    [Fact]
    public async Task A_leaf_that_is_hardly_longer_than_a_delta_has_none()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var model = await FillAsync(pool, bytes: 8 * 4096);
        await CommitAsync(pool);
        var whole = ReadLeaf(pool.Pool.Store, 0);
        Assert.InRange(whole.Length, 1, LeafDelta.LeastWholeBytes - 1);
        await OverwriteAsync(model, 7);
        await CommitAsync(pool);
        Assert.Empty(ReadDeltas(pool.Pool.Store));
        Assert.NotEqual(whole, ReadLeaf(pool.Pool.Store, 0));
        await pool.ReopenAsync();
        model.Device = pool.Pool.OpenVolume("disk")!;
        await CheckAsync(pool, model);
    }

    [Theory]
    [InlineData("a first write")]
    [InlineData("a discard")]
    [InlineData("a snapshot")]
    [InlineData("deleting the volume")]
    public async Task What_changes_more_than_checksums_writes_all_and_leaves_no_delta(string change)
    {
        await using var pool = await TestPool.CreateAsync(disk: disk);
        var model = await FillAsync(pool, bytes: MiB - 65536);
        await CommitAsync(pool);
        await OverwriteAsync(model, 7);
        await CommitAsync(pool);
        Assert.Single(ReadDeltas(pool.Pool.Store));
        switch (change)
        {
            case "a first write":
                await model.Device.WriteAsync(new Lba((MiB / 4096) - 1), random.Bytes(4096));
                break;
            case "a discard":
                await model.Device.TrimAsync(new Lba(32), 16);
                break;
            case "a snapshot":
                await pool.Pool.TakeSnapshotAsync("disk", "s");
                await OverwriteAsync(model, 8);
                break;
            default:
                await pool.DeleteVolumeAsync("disk");
                break;
        }

        await CommitAsync(pool);
        Assert.Empty(ReadDeltas(pool.Pool.Store));
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Snapshots_and_clones_see_what_lies_beside_the_leaf()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk, chunks: 512);
        var model = await FillAsync(pool);
        await CommitAsync(pool);
        await OverwriteAsync(model, 9);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        Assert.Single(ReadDeltas(pool.Pool.Store));
        await pool.Pool.CloneAsync("disk", "s", "clone");
        await pool.ReopenAsync();
        model.Device = pool.Pool.OpenVolume("disk")!;
        var (snapshot, clone) = (pool.Pool.OpenSnapshot("disk", "s")!, pool.Pool.OpenVolume("clone")!);
        await new VolumeModel(snapshot, model.Expected).CheckAllAsync("snapshot");
        await new VolumeModel(clone, model.Expected).CheckAllAsync("clone");
        Assert.Single(ReadDeltas(pool.Pool.Store));

        var before = model.Expected.ToArray();
        await OverwriteAsync(model, 10);
        await CommitAsync(pool);
        await new VolumeModel(snapshot, before).CheckAllAsync("snapshot, after the head has changed");
        await CheckAsync(pool, model);
    }

    [Fact]
    public async Task What_moves_takes_its_delta_along()
    {
        await using var pool = await TestPool.CreateAsync(disk: disk, chunks: 512);
        var model = await FillAsync(pool);
        await CommitAsync(pool);
        await OverwriteAsync(model, 11);
        await CommitAsync(pool);
        Assert.Single(ReadDeltas(pool.Pool.Store));
        await PlaceMoves.MoveAsync(pool.Pool, (MapLayout.ReservedChunks, 20));
        Assert.Empty(ReadDeltas(pool.Pool.Store));
        await CheckAsync(pool, model);
        await OverwriteAsync(model, 12); // Nothing is known of what lies in the store now.
        await CommitAsync(pool);
        await CheckAsync(pool, model);
        await pool.ReopenAsync();
        model.Device = pool.Pool.OpenVolume("disk")!;
        await CheckAsync(pool, model);
    }

    [Fact]
    public async Task A_delta_of_another_leaf_is_damage_which_writing_all_of_it_heals()
    {
        byte[] before;
        VolumeModel model;
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            model = await FillAsync(pool);
            await CommitAsync(pool);
            await OverwriteAsync(model, 13);
            await CommitAsync(pool);
            before = Assert.Single(ReadDeltas(pool.Pool.Store)).Value;
            await model.Device.TrimAsync(new Lba(16), 16);
        }

        using (var store = TestPool.OpenStore(disk)) store.Put(MapKeys.Delta(1, 0), before);
        await using (var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2)))
        {
            var found = await pool.Pool.VerifyAsync(readData: false);
            Assert.Contains("delta of a map leaf: it belongs to leaf", Assert.Single(found.Problems), StringComparison.Ordinal);
            var volume = pool.Pool.OpenVolume("disk")!;
            var refused = await Assert.ThrowsAsync<CorruptDataException>(async () => await volume.ReadAsync(Lba.Zero, new byte[4096]));
            Assert.Contains("delta of a map leaf", refused.Message, StringComparison.Ordinal);
            await volume.WriteAsync(Lba.Zero, model.Expected);
            await CommitAsync(pool);
            Assert.Empty(ReadDeltas(pool.Pool.Store));
            await new VolumeModel(volume, model.Expected).CheckAllAsync("healed");
        }
    }

    // The last ones that know no deltas, and the last ones that know no blocks away from home in leaves of generation 1.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_pool_of_earlier_programs_says_that_they_cannot_read_it_any_more_before_anything_is_written(byte version)
    {
        await using (await TestPool.CreateAsync(disk: disk))
        {
        }

        using (var store = TestPool.OpenStore(disk))
        {
            var record = store.Get(MapKeys.Pool)!;
            record[0] = version;
            store.Put(MapKeys.Pool, record);
        }

        await using var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2));
        Assert.Equal(PoolRecord.Crc32CVersion, pool.Pool.Store.Get(MapKeys.Pool)![0]);
    }

    async Task<VolumeModel> FillAsync(TestPool pool, int bytes = MiB)
    {
        var content = random.Bytes(MiB);
        content.AsSpan(bytes).Clear();
        var model = new VolumeModel(await pool.CreateVolumeAsync("disk", MiB), content);
        await model.Device.WriteAsync(Lba.Zero, content.AsMemory(0, bytes));
        return model;
    }

    async Task OverwriteAsync(VolumeModel model, int block)
    {
        var content = random.Bytes(4096);
        content.CopyTo(model.Expected.AsSpan(block * 4096));
        await model.Device.WriteAsync(new Lba(block), content);
    }

    static async Task CommitAsync(TestPool pool) => await pool.Pool.CommitAsync();

    static async Task CheckAsync(TestPool pool, VolumeModel model)
    {
        await model.CheckAllAsync("");
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    static byte[] ReadLeaf(KeyValueStore store, long leafIndex)
    {
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, 1, leafIndex);
        return store.Get(key)!;
    }

    static List<(byte[] Key, byte[] Value)> ReadDeltas(KeyValueStore store)
    {
        var deltas = new List<(byte[], byte[])>();
        using var cursor = store.Scan(KeyRange.Prefix(MapKeys.Deltas));
        while (cursor.MoveNext()) deltas.Add((cursor.Key.ToArray(), cursor.Value.ToArray()));
        return deltas;
    }
}
