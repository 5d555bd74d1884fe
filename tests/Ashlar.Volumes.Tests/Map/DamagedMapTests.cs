using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A piece of the map that cannot be read costs its MiB, is said, and gives way to whoever writes or discards it as a whole.</summary>
public sealed class DamagedMapTests
{
    const int BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    [Fact]
    public async Task Requests_for_its_range_fail_and_others_go_on()
    {
        var events = new List<PoolEvent>();
        await using var pool = await DamagedAsync(events);
        var volume = pool.Pool.OpenVolume("disk")!;
        var read = await Assert.ThrowsAsync<CorruptDataException>(async () => await CrashedPool.ReadAsync(volume, BlocksPerLeaf));
        Assert.Contains("slot 200", read.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CorruptDataException>(async () => await volume.WriteAsync(new Lba(BlocksPerLeaf), new byte[4096]));
        await Assert.ThrowsAsync<CorruptDataException>(async () => await volume.TrimAsync(new Lba(BlocksPerLeaf), 16));
        Assert.Equal(CrashedPool.Content(0, 1), (await CrashedPool.ReadAsync(volume, 0)));
        await volume.WriteAsync(new Lba(2 * BlocksPerLeaf), new byte[4096]);
        await volume.FlushAsync();
        Assert.Equal(3, pool.Pool.GetStatistics().DamagedMapReads);
        await pool.HearAsync();
        Assert.Contains("bytes 1048576 to 2097151", Assert.Single(events, each => each.Kind == PoolEventKind.DamagedMap).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("write")]
    [InlineData("write more")]
    [InlineData("trim")]
    [InlineData("zero")]
    [InlineData("keep")]
    public async Task Whoever_covers_all_of_it_heals_it(string what)
    {
        await using var pool = await DamagedAsync([]);
        var volume = pool.Pool.OpenVolume("disk")!;
        var data = CrashedPool.Content(5, BlocksPerLeaf);
        await Assert.ThrowsAsync<CorruptDataException>(async () => await CrashedPool.ReadAsync(volume, BlocksPerLeaf));
        Assert.Equal((0L, 1L), (pool.Pool.GetDamage().Blocks, pool.Pool.GetDamage().MapPieces));
        switch (what)
        {
            case "write": await volume.WriteAsync(new Lba(BlocksPerLeaf), data); break;
            case "write more": await volume.WriteAsync(Lba.Zero, (byte[])[.. CrashedPool.Content(0, BlocksPerLeaf), .. data, .. CrashedPool.Content(2, 16)]); break;
            case "trim": await volume.TrimAsync(new Lba(BlocksPerLeaf), BlocksPerLeaf); break;
            case "zero": await volume.WriteZeroesAsync(new Lba(BlocksPerLeaf), BlocksPerLeaf); break;
            default: await volume.WriteZeroesAsync(new Lba(BlocksPerLeaf), BlocksPerLeaf, ZeroOptions.KeepAllocated); break;
        }

        var expected = what.StartsWith("write", StringComparison.Ordinal) ? data[..4096] : new byte[4096];
        Assert.Equal(0, pool.Pool.GetDamage().MapPieces);
        for (var life = 0; life < 2; life++)
        {
            Assert.Equal(expected, await CrashedPool.ReadAsync(volume, BlocksPerLeaf));
            Assert.Equal(CrashedPool.Content(2), await CrashedPool.ReadAsync(volume, 2 * BlocksPerLeaf));
            await pool.ReopenAsync();
            volume = pool.Pool.OpenVolume("disk")!;
        }
    }

    [Fact]
    public async Task The_space_of_a_piece_that_was_replaced_is_free_again()
    {
        await using var pool = await DamagedAsync([]);
        var volume = pool.Pool.OpenVolume("disk")!;
        await volume.TrimAsync(new Lba(BlocksPerLeaf), BlocksPerLeaf);
        await volume.FlushAsync();
        await pool.Pool.Work.Idle;
        Assert.Equal(2 * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);

        // Later commits count on from there.
        await volume.WriteAsync(new Lba(BlocksPerLeaf), CrashedPool.Content(5, 16));
        await volume.FlushAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task The_last_piece_of_a_volume_is_covered_by_what_there_is_of_it()
    {
        await using var pool = await DamagedAsync([], sizeBytes: (1 << 20) + (64 << 10));
        var volume = pool.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<CorruptDataException>(async () => await volume.TrimAsync(new Lba(BlocksPerLeaf), 15));
        await volume.TrimAsync(new Lba(BlocksPerLeaf), 16);
        Assert.Equal(new byte[4096], await CrashedPool.ReadAsync(volume, BlocksPerLeaf));
    }

    static async Task<TestPool> DamagedAsync(List<PoolEvent> events, long sizeBytes = 16 << 20)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
            var volume = await pool.CreateVolumeAsync("disk", sizeBytes);
            for (var leaf = 0; leaf < 3 && (leaf << 20) < sizeBytes; leaf++)
                await volume.WriteAsync(new Lba(leaf * BlocksPerLeaf), CrashedPool.Content(leaf, 16));
        }

        using (var store = TestPool.OpenStore(disk))
        {
            byte[] key, value;
            using (var cursor = store.Scan(KeyRange.Prefix(MapKeys.LeafStart(1, 1))))
            {
                Assert.True(cursor.MoveNext());
                (key, value) = (cursor.Key.ToArray(), cursor.Value.ToArray());
            }

            value[2] = 200; // A slot that does not exist.
            store.Put(key, value);
        }

        return await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2) with
        {
            Observer = each =>
            {
                lock (events) events.Add(each);
            },
        });
    }
}
