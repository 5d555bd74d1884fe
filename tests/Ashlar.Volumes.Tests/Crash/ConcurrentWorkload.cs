using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Several writers at once, on a thin volume of each block size and a thick one, whose blocks lie side by side in the same chunks and the
/// same pieces of the map: their writes overlap each other's flushes, commits, markers and discards. The cache of the map is small, so
/// that pieces come and go.
/// </summary>
sealed class ConcurrentWorkload(ulong seed, PlantedBug bug)
{
    const int Writers = 4, StepsOfEach = 22, SectorsPerBlock = 8, BlocksOfVolume = 3 * MapLayout.BlocksPerLeaf;

    public static readonly string[] Names = ["thin4096", "thin512", "thick"];

    static readonly int[] HotBlocks = [0, 14, 40, MapLayout.BlocksPerLeaf - 4, MapLayout.BlocksPerLeaf + 100, (2 * MapLayout.BlocksPerLeaf) + 8];

    SimulatedFileSystem disk = null!;
    TestPool pool = null!;
    IBlockDevice[] volumes = [];
    int stepCount;

    public async Task RunAsync(SimulatedFileSystem simulatedDisk)
    {
        disk = simulatedDisk;
        var process = new MortalFileSystem(disk);
        pool = await TestPool.CreateAsync(chunks: 200, OptionsFor(seed, bug), process);
        volumes =
        [
            await pool.CreateVolumeAsync(Names[0], BlocksOfVolume * 4096L, 4096),
            await pool.CreateVolumeAsync(Names[1], BlocksOfVolume * 4096L, 512),
            await pool.CreateVolumeAsync(Names[2], BlocksOfVolume * 4096L, 4096, isThick: true),
        ];
        disk.RestartTrace();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer))));
        process.Kill();
        var closing = pool.DisposeAsync().AsTask();
        await Task.WhenAny(closing);
        _ = closing.Exception;
    }

    public static PoolOptions OptionsFor(ulong seed, PlantedBug bug) => TestPool.DefaultOptions(seed) with
    {
        Entropy = Storage.SystemEntropy.Instance,
        MarkerQuietTime = TimeSpan.Zero,
        MapCacheBytes = 8000,
        Factory = bug.ToFactory(),
    };

    async Task WriteAsync(int writer)
    {
        var random = SeededRandom.For(seed, $"writer {writer}");
        for (var i = 0; i < StepsOfEach; i++)
        {
            if (random.OneIn(8)) await pool.Pool.Parts.Committer.RunAsync(CommitScope.Spill);
            var volume = random.Next(volumes.Length);
            // Every fourth block is this writer's: its neighbours in the chunk are others'.
            var block = ((random.Pick(HotBlocks) / Writers) + random.Next(3)) * Writers + writer;
            switch (random.Next(10))
            {
                case < 5:
                    await WriteAsync(random, ConcurrentStepKind.Write, volume, block);
                    break;
                case 5:
                    await WriteAsync(random, ConcurrentStepKind.WriteThrough, volume, block);
                    break;
                case 6:
                    await RunAsync(
                        new ConcurrentStep(Next(), ConcurrentStepKind.Discard, volume, block * SectorsPerBlock, SectorsPerBlock),
                        () => volumes[volume].TrimAsync(ToLba(volume, block * SectorsPerBlock), SectorsPerBlock * 512 / volumes[volume].Geometry.BlockSizeBytes).AsTask());
                    break;
                case 7:
                    await RunAsync(new ConcurrentStep(Next(), ConcurrentStepKind.Flush, 0, 0, 0), pool.Pool.CommitAsync);
                    break;
                default:
                    await RunAsync(new ConcurrentStep(Next(), ConcurrentStepKind.Flush, 0, 0, 0), () => volumes[volume].FlushAsync().AsTask());
                    break;
            }
        }
    }

    Task WriteAsync(SeededRandom random, ConcurrentStepKind kind, int volume, int block)
    {
        // Of a volume with small blocks often a part of 4 KiB.
        var isPart = volumes[volume].Geometry.BlockSizeBytes == 512 && random.OneIn(2);
        var first = isPart ? random.Next(SectorsPerBlock) : 0;
        var count = isPart ? 1 + random.Next(SectorsPerBlock - first) : SectorsPerBlock;
        var step = new ConcurrentStep(Next(), kind, volume, (block * SectorsPerBlock) + first, count);
        var data = new byte[count * DescribedSector.SizeBytes];
        for (var i = 0; i < count; i++)
            DescribedSector.Write(data.AsSpan(i * DescribedSector.SizeBytes), volume, step.StartSector + i, step.Number);
        return RunAsync(step, () => volumes[volume].WriteAsync(
            ToLba(volume, step.StartSector), data, kind == ConcurrentStepKind.WriteThrough ? WriteOptions.ForceUnitAccess : WriteOptions.None).AsTask());
    }

    // Now and then the caller waits for the disk on its own thread.
    async Task RunAsync(ConcurrentStep step, Func<Task> action)
    {
        disk.Mark(new ConcurrentMark(step, IsDone: false));
        Task running;
        using (step.Number % 8 == 1 ? Storage.InlineWaits.Allow() : Storage.InlineWaits.Keep()) running = action();
        await running;
        disk.Mark(new ConcurrentMark(step, IsDone: true));
    }

    int Next() => Interlocked.Increment(ref stepCount);

    Lba ToLba(int volume, long sector) => new(sector * DescribedSector.SizeBytes / volumes[volume].Geometry.BlockSizeBytes);
}
