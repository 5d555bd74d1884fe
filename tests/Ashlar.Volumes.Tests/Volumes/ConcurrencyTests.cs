using System.Diagnostics;
using System.Reflection;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Many threads at once: every block read is one that somebody wrote there, as a whole.</summary>
public sealed class ConcurrencyTests
{
    [Theory, Seeds(count: 6)]
    public async Task Every_block_is_one_that_was_written_there(ulong seed)
    {
        await using var pool = await TestPool.CreateAsync(
            chunks: 80,
            options: TestPool.DefaultOptions(seed) with { MapCacheBytes = 20_000, MarkerQuietTime = TimeSpan.Zero },
            wrap: device => seed % 2 == 0 ? device : new HookedDevice(device) { BeforeWrite = Yield, BeforeRead = Yield, BeforeFlush = () => Yield(default) });
        var disk = await pool.CreateVolumeAsync("disk", 64 << 20);
        using var stop = new CancellationTokenSource();
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(() => WorkAsync(disk, seed, worker))).ToList();
        var commits = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await pool.Pool.CommitAsync();
        });
        await Task.WhenAll(workers);
        await stop.CancelAsync();
        await commits;
        Assert.Equal(0, pool.Pool.GetStatistics().CorruptBlocks);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        await pool.ReopenAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Theory, Seeds(count: 10)]
    public async Task Deleting_and_shrinking_under_writers_leaks_nothing(ulong seed)
    {
        await using var pool = await TestPool.CreateAsync(
            chunks: 400, wrap: device => new HookedDevice(device) { BeforeWrite = Yield, BeforeFlush = () => Yield(default) });
        var deleted = await pool.CreateVolumeAsync("deleted", 64 << 20);
        var shrunk = await pool.CreateVolumeAsync("shrunk", 64 << 20);
        var writers = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"worker {worker}");
            for (var i = 0; i < 200; i++)
            {
                try
                {
                    await (worker % 2 == 0 ? deleted : shrunk).WriteAsync(new Lba(random.Next(64) * 256), new byte[8192]);
                }
                catch (Exception gone) when (gone is VolumeDeletedException or BlockRangeException)
                {
                    break;
                }
            }
        })).ToList();
        await pool.Pool.ResizeVolumeAsync("shrunk", 4096, allowShrink: true);
        await pool.DeleteVolumeAsync("deleted");
        await Task.WhenAll(writers);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
        Assert.True(pool.Pool.GetUsage().AllocatedBytes <= MapLayout.ChunkBytes);
        await pool.ReopenAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task Requests_on_a_map_in_memory_allocate_nothing()
    {
        var device = new MemoryDevice(4096);
        var store = KeyValueStore.Open("/map", new KeyValueOptions { FileSystem = new SimulatedFileSystem(isRecording: false) });
        var options = TestPool.DefaultOptions();
        await StoragePool.FormatAsync("main", device, store, options);
        await using var pool = await StoragePool.OpenAsync(device, store, options);
        await pool.CreateVolumeAsync("disk", new VolumeOptions { SizeBytes = 8 << 20, BlockSizeBytes = 512 });
        var disk = pool.OpenVolume("disk")!;
        var buffer = new byte[8192];
        for (var i = 0; i < 200; i++) Round(disk, buffer);
        var allocated = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 1000; i++) Round(disk, buffer);
        });
        if (IsOptimized) Assert.InRange(allocated, 0, 1000); // Not one byte per request.
    }

    // A debug build makes every asynchronous method an object.
    static bool IsOptimized => typeof(StoragePool).Assembly.GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true };

    static void Round(IBlockDevice disk, byte[] buffer)
    {
        Finish(disk.WriteAsync(new Lba(8), buffer));
        Finish(disk.ReadAsync(new Lba(9), buffer.AsMemory(0, 4096)));
        Finish(disk.WriteAsync(new Lba(17), buffer.AsMemory(0, 512)));
    }

    static void Finish(ValueTask request)
    {
        Assert.True(request.IsCompletedSuccessfully, "A request that need not wait did wait.");
        request.GetAwaiter().GetResult();
    }

    static async Task Yield(Lba start) => await Task.Yield();

    static async Task WorkAsync(IBlockDevice disk, ulong seed, int worker)
    {
        var random = SeededRandom.For(seed, $"worker {worker}");
        var blockBytes = disk.Geometry.BlockSizeBytes;
        for (var i = 1; i <= 400; i++)
        {
            var count = 1 + random.Next(6);
            var start = random.Pick([0L, 10, 250, 256 * 5, 256 * 60]) + random.Next(12);
            var data = new byte[count * blockBytes];
            switch (random.Next(8))
            {
                case < 3:
                    for (var sector = 0; sector < data.Length / 512; sector++)
                        DescribedSector.Write(data.AsSpan(sector * 512), worker, (start * blockBytes / 512) + sector, i);
                    await disk.WriteAsync(new Lba(start), data, random.OneIn(20) ? WriteOptions.ForceUnitAccess : WriteOptions.None);
                    break;
                case 3:
                    await disk.TrimAsync(new Lba(start), random.OneIn(3) ? 16 : count);
                    break;
                default:
                    await disk.ReadAsync(new Lba(start), data);
                    for (var block = 0; block < count; block++) Check(data.AsSpan(block * blockBytes, blockBytes), (start + block) * blockBytes / 512);
                    break;
            }
        }
    }

    // All sectors of a 4 KiB block come from one write, whoever wrote it.
    static void Check(ReadOnlySpan<byte> block, long firstSector)
    {
        if (!block.ContainsAnyExcept((byte)0)) return;
        var (worker, version) = (BitConverter.ToInt32(block[4..]), BitConverter.ToInt32(block[16..]));
        for (var sector = 0; sector < block.Length / 512; sector++)
            Assert.Equal(version, DescribedSector.Read(block[(sector * 512)..], worker, firstSector + sector));
    }
}
