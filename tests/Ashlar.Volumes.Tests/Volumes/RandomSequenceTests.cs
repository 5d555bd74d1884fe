using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Random sequences of everything a pool can do, compared with a model, with the pool closed and opened in between.</summary>
public sealed class RandomSequenceTests
{
    [Theory, Seeds(count: 60)]
    public async Task A_pool_does_what_the_model_says(ulong seed)
    {
        var random = new SeededRandom(seed);
        var options = TestPool.DefaultOptions(seed) with { MapCacheBytes = random.OneIn(2) ? 1 << 20 : 20_000 };
        await using var pool = await TestPool.CreateAsync(chunks: 600, options, deviceBlockBytes: 4096);
        var volumes = new SortedDictionary<string, VolumeModel>(StringComparer.Ordinal);
        var created = 0;
        for (var step = 0; step < 250; step++)
        {
            var because = $"seed {seed}, step {step}";
            var choice = random.Next(100);
            if (volumes.Count == 0 || (choice < 3 && volumes.Count < 3))
            {
                await Create(pool, volumes, random, $"v{created++}");
                continue;
            }

            var name = random.Pick([.. volumes.Keys]);
            var volume = volumes[name];
            var maxBlocks = (3 << 20) / volume.Device.Geometry.BlockSizeBytes;
            if (choice < 50) await volume.WriteAsync(random, maxBlocks);
            else if (choice < 65) await volume.DiscardAsync(random, maxBlocks);
            else if (choice < 80) await volume.CheckRangeAsync(random, maxBlocks, because);
            else if (choice < 88) await volume.Device.FlushAsync();
            else if (choice < 91) await pool.Pool.CommitAsync();
            else if (choice < 94) await Resize(pool, name, volume, random);
            else if (choice < 95)
            {
                await pool.DeleteVolumeAsync(name);
                volumes.Remove(name);
            }
            else if (choice < 97) await Reopen(pool, volumes);
            else Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        }

        await Reopen(pool, volumes);
        foreach (var volume in volumes.Values) await volume.CheckAllAsync($"seed {seed}, end");
        var verification = await pool.Pool.VerifyAsync(readData: true);
        Assert.Empty(verification.Problems);
        Assert.Equal(verification.Chunks * MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Equal(pool.Pool.ListVolumes().Sum(volume => volume.AllocatedBytes), pool.Pool.GetUsage().AllocatedBytes);
        foreach (var name in volumes.Keys) await pool.DeleteVolumeAsync(name);
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
    }

    static async Task Create(TestPool pool, SortedDictionary<string, VolumeModel> volumes, SeededRandom random, string name)
    {
        var blockSize = random.OneIn(2) ? 512 : 4096;
        var size = (1 + random.Next(6 << 20)) / blockSize * blockSize;
        var device = await pool.CreateVolumeAsync(name, Math.Max(size, blockSize), blockSize, isThick: random.OneIn(5));
        volumes.Add(name, new VolumeModel(device, new byte[device.Geometry.SizeBytes]));
    }

    static async Task Resize(TestPool pool, string name, VolumeModel volume, SeededRandom random)
    {
        var blockSize = volume.Device.Geometry.BlockSizeBytes;
        var size = (1 + random.Next((6 << 20) / blockSize)) * blockSize;
        await pool.Pool.ResizeVolumeAsync(name, size, allowShrink: true);
        var expected = volume.Expected;
        Array.Resize(ref expected, size);
        volume.Expected = expected;
        Assert.Equal(size, volume.Device.Geometry.SizeBytes);
    }

    static async Task Reopen(TestPool pool, SortedDictionary<string, VolumeModel> volumes)
    {
        await pool.ReopenAsync();
        Assert.Equal(volumes.Keys.ToArray(), pool.Pool.ListVolumes().Select(volume => volume.Name).ToArray());
        Assert.Equal(0, pool.Pool.GetStatistics().Recovery.CheckedBlocks);
        foreach (var (name, volume) in volumes) volume.Device = pool.Pool.OpenVolume(name)!;
    }
}
