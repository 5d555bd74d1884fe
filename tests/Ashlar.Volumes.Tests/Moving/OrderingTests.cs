using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>A volume that was written at random, also under snapshots, lies in order again.</summary>
public sealed class OrderingTests
{
    const int MiB = 1 << 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_snapshots_have_left_scattered_lies_in_whole_pieces_again(bool isKept)
    {
        var random = new SeededRandom(TestSeeds.Several(nameof(OrderingTests), 1)[0]);
        await using var pool = await TestPool.CreateAsync(chunks: 800);
        var (volume, other) = (await FillAsync(pool, "a", random), await FillAsync(pool, "b", random));
        var snapshot = volume.Expected.ToArray();
        await pool.Pool.TakeSnapshotAsync("a", "s");
        for (var i = 0; i < 200; i++) await volume.WriteAsync(random, 8);
        if (!isKept) await (await pool.Pool.DeleteSnapshotsAsync("a", ["s"]));
        await pool.Pool.CommitAsync();
        var before = await MeasureAsync(pool);
        Assert.True(before.ScatteredBytes > before.DataBytes / 4, $"{before}");
        var used = pool.Pool.GetUsage().AllocatedBytes;

        await RunAsync(pool, copiesShared: false);
        var after = await MeasureAsync(pool);
        Assert.True(isKept || after.ScatteredBytes == 0, $"{before}, then {after}");
        Assert.True(pool.Pool.GetUsage().AllocatedBytes <= used + MapLayout.ChunkBytes, $"{used}, {pool.Pool.GetUsage().AllocatedBytes}");
        await CheckAsync("in order");

        await RunAsync(pool, copiesShared: true);
        Assert.Equal(0, (await MeasureAsync(pool)).ScatteredBytes);
        await CheckAsync("with copies");
        await pool.ReopenAsync();
        (volume.Device, other.Device) = (pool.Pool.OpenVolume("a")!, pool.Pool.OpenVolume("b")!);
        await CheckAsync("opened again");

        async Task CheckAsync(string because)
        {
            await volume.CheckAllAsync(because);
            await other.CheckAllAsync(because);
            if (isKept) await new VolumeModel(pool.Pool.OpenSnapshot("a", "s")!, snapshot).CheckAllAsync(because);
            var found = await pool.Pool.VerifyAsync(readData: true);
            Assert.True(found.IsClean, $"{because}: {string.Join("; ", found.Problems.Take(5))}");
        }
    }

    [Fact]
    public async Task Copies_that_do_not_fit_are_refused_before_anything_is_copied()
    {
        var random = new SeededRandom(3);
        await using var pool = await TestPool.CreateAsync(chunks: 300);
        var volume = await FillAsync(pool, "a", random);
        await pool.Pool.TakeSnapshotAsync("a", "s");
        for (var block = 0; block < volume.Expected.Length / 4096; block += 16)
        {
            await volume.Device.WriteAsync(new Lba(block), random.Bytes(4096));
        }

        await volume.Device.FlushAsync();
        await FillAsync(pool, "b", random);
        var used = pool.Pool.GetUsage().AllocatedBytes;
        var refused = await Assert.ThrowsAsync<DeviceFullException>(() => RunAsync(pool, copiesShared: true));
        Assert.Contains("are free", refused.Message, StringComparison.Ordinal);
        Assert.Equal(used, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task What_is_discarded_stays_a_hole_and_writers_go_on()
    {
        var seed = TestSeeds.Several(nameof(OrderingTests), 1)[0];
        var random = new SeededRandom(seed);
        await using var pool = await TestPool.CreateAsync(chunks: 800);
        var volume = await FillAsync(pool, "a", random);
        for (var round = 0; round < 4; round++)
        {
            if (round % 2 == 0) await pool.Pool.TakeSnapshotAsync("a", $"s{round}");
            var ordering = RunAsync(pool, copiesShared: round == 3);
            for (var i = 0; i < 60; i++)
            {
                await volume.WriteAsync(random, 20);
                if (random.OneIn(3)) await volume.DiscardAsync(random, 10);
            }

            await ordering;
            await volume.CheckAllAsync($"seed {seed}, round {round}");
        }

        await pool.Pool.CommitAsync();
        var found = await pool.Pool.VerifyAsync(readData: true);
        Assert.True(found.IsClean, $"seed {seed}: {string.Join("; ", found.Problems.Take(5))}");
    }

    static async Task<VolumeModel> FillAsync(TestPool pool, string name, SeededRandom random)
    {
        var volume = new VolumeModel(await pool.CreateVolumeAsync(name, 6 * MiB), random.Bytes(6 * MiB));
        await volume.Device.WriteAsync(Lba.Zero, volume.Expected);
        await volume.Device.FlushAsync();
        return volume;
    }

    static async Task RunAsync(TestPool pool, bool copiesShared) =>
        await pool.Pool.CreateOrdering("a", copiesShared).RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);

    static async Task<VolumeFragmentation> MeasureAsync(TestPool pool)
    {
        using var view = await pool.Pool.OpenMapViewAsync();
        return view.MeasureFragmentation(view.Volumes.Single(volume => volume.Name == "a"));
    }
}
