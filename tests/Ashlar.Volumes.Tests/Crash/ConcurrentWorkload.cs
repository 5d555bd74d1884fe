using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Several writers at once, on a thin volume of each block size and a thick one, whose blocks lie side by side in the same chunks and the
/// same pieces of the map: their writes overlap each other's flushes, commits, markers and discards. Meanwhile somebody creates, grows,
/// shrinks and deletes volumes. The cache of the map and the memtable of its store are small, so that pieces come and go, and tables are
/// written and merged.
/// </summary>
sealed class ConcurrentWorkload(ulong seed, PlantedBug bug)
{
    const int Writers = 4, StepsOfEach = 22, ManagedVolumes = 3, SectorsPerBlock = 8, BlocksOfVolume = 3 * MapLayout.BlocksPerLeaf;

    static readonly string[] Names = ["thin4096", "thin512", "thick"];

    static readonly int[] HotBlocks = [0, 14, 40, MapLayout.BlocksPerLeaf - 4,
        MapLayout.BlocksPerLeaf + 100, (2 * MapLayout.BlocksPerLeaf) + 8];

    SimulatedFileSystem disk = null!;
    TestPool pool = null!;
    IBlockDevice[] volumes = [];
    int stepCount;

    public static string NameOf(int volume) => volume < Names.Length ? Names[volume] : $"managed{volume}";

    public async Task RunAsync(SimulatedFileSystem simulatedDisk)
    {
        disk = simulatedDisk;
        var process = new MortalFileSystem(disk);
        pool = await TestPool.CreateAsync(chunks: 200, OptionsFor(seed, bug), process, storeOptions: TestPool.SmallStore);
        volumes =
        [
            await pool.CreateVolumeAsync(Names[0], BlocksOfVolume * 4096L, 4096),
            await pool.CreateVolumeAsync(Names[1], BlocksOfVolume * 4096L, 512),
            await pool.CreateVolumeAsync(Names[2], BlocksOfVolume * 4096L, 4096, isThick: true),
        ];
        disk.RestartTrace();
        disk.DuringSync = _ => Thread.Sleep(1); // Long enough for others to write meanwhile, on one processor too.
        for (var volume = 0; volume < volumes.Length; volume++)
            disk.Mark(new ConcurrentMark(new(Next(), ConcurrentStepKind.Create, volume, SizeBytes: BlocksOfVolume * 4096L), IsDone: true));
        await Task.WhenAll([.. Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer))), Task.Run(ManageAsync)]);
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
                    await WriteAsync(random, ConcurrentStepKind.Write, volume, volumes[volume], block);
                    break;
                case 5:
                    await WriteAsync(random, ConcurrentStepKind.WriteThrough, volume, volumes[volume], block);
                    break;
                case 6:
                    await RunAsync(
                        new(Next(), ConcurrentStepKind.Discard, volume, block * SectorsPerBlock, SectorsPerBlock),
                        () => volumes[volume].TrimAsync(
                            ToLba(volumes[volume], block * SectorsPerBlock),
                            SectorsPerBlock * DescribedSector.SizeBytes / volumes[volume].Geometry.BlockSizeBytes).AsTask());
                    break;
                case 7:
                    await RunAsync(new(Next(), ConcurrentStepKind.Flush), pool.Pool.CommitAsync);
                    break;
                default:
                    await RunAsync(new(Next(), ConcurrentStepKind.Flush), () => volumes[volume].FlushAsync().AsTask());
                    break;
            }
        }
    }

    // Volumes that come, grow, shrink and go, one after the other; nobody else writes to them.
    async Task ManageAsync()
    {
        var random = SeededRandom.For(seed, "manager");
        for (var volume = Names.Length; volume < Names.Length + ManagedVolumes; volume++)
        {
            var (name, small, large) = (NameOf(volume), MapLayout.LeafBytes / 2, MapLayout.LeafBytes + (5L * MapLayout.ChunkBytes));
            var isThick = volume % 2 == 1;
            await RunAsync(
                new(Next(), ConcurrentStepKind.Create, volume, SizeBytes: small), () => pool.CreateVolumeAsync(name, small, 4096, isThick));
            var device = pool.Pool.OpenVolume(name)!;
            await WriteAsync(random, ConcurrentStepKind.Write, volume, device, random.Next(100));
            await ResizeAsync(volume, large);
            for (var i = 0; i < 4; i++)
                await WriteAsync(
                    random, random.OneIn(3) ? ConcurrentStepKind.WriteThrough : ConcurrentStepKind.Write, volume, device, random.Next(330));
            await ResizeAsync(volume, small);
            await ResizeAsync(volume, large);
            await WriteAsync(random, ConcurrentStepKind.Write, volume, device, 100 + random.Next(230));
            if (random.OneIn(2)) await RunAsync(new(Next(), ConcurrentStepKind.Flush), () => device.FlushAsync().AsTask());
            if (volume == Names.Length + ManagedVolumes - 1) break; // The last one stays.
            await RunAsync(new(Next(), ConcurrentStepKind.Delete, volume), async () => await pool.Pool.DeleteVolumeAsync(name));
        }
    }

    Task ResizeAsync(int volume, long sizeBytes) => RunAsync(
        new(Next(), ConcurrentStepKind.Resize, volume, SizeBytes: sizeBytes),
        async () => await pool.Pool.ResizeVolumeAsync(NameOf(volume), sizeBytes, allowShrink: true));

    Task WriteAsync(SeededRandom random, ConcurrentStepKind kind, int volume, IBlockDevice device, int block)
    {
        // Of a volume with small blocks often a part of 4 KiB.
        var isPart = device.Geometry.BlockSizeBytes == 512 && random.OneIn(2);
        var first = isPart ? random.Next(SectorsPerBlock) : 0;
        var count = isPart ? 1 + random.Next(SectorsPerBlock - first) : SectorsPerBlock;
        var step = new ConcurrentStep(Next(), kind, volume, (block * SectorsPerBlock) + first, count);
        var data = new byte[count * DescribedSector.SizeBytes];
        for (var i = 0; i < count; i++)
            DescribedSector.Write(data.AsSpan(i * DescribedSector.SizeBytes), volume, step.StartSector + i, step.Number);
        return RunAsync(step, () => device.WriteAsync(
            ToLba(device, step.StartSector), data,
            kind == ConcurrentStepKind.WriteThrough ? WriteOptions.ForceUnitAccess : WriteOptions.None).AsTask());
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

    static Lba ToLba(IBlockDevice device, long sector) => new(sector * DescribedSector.SizeBytes / device.Geometry.BlockSizeBytes);
}
