using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// A random workload on a small pool: writes, overwrites, discards, flushes, commits, resizes, deletions, clean and unclean
/// stops, one after the other, each announced before and reported after.
/// </summary>
/// <param name="seed">Decides everything.</param>
/// <param name="stepCount">How long it is.</param>
/// <param name="bug">What is wrong with the pool.</param>
/// <param name="isOrderly">Whether nothing is ever killed: what it would have killed it closes in order.</param>
/// <param name="isPlaced">Whether the pool has its metadata on its device.</param>
/// <param name="writesAtomically">Whether two of three writes to thin volumes are atomic.</param>
/// <param name="logsRecent">Whether what is not committed is logged: then no kill loses anything that was answered.</param>
sealed class PoolWorkload(
    ulong seed, int stepCount, PlantedBug bug, bool isOrderly = false, bool isPlaced = false, bool writesAtomically = false,
    bool logsRecent = false)
{
    static readonly long[] HotSpotBytes = [0, 8 << 10, 60 << 10, 200 << 10, (1 << 20) - (8 << 10), 2 << 20];

    readonly SeededRandom random = new(seed);
    readonly List<Step> steps = [];
    readonly SortedDictionary<int, IBlockDevice> volumes = [];
    SimulatedFileSystem disk = null!;
    MortalFileSystem process = null!;
    TestPool pool = null!;

    public IReadOnlyList<Step> Steps => steps;

    public static PoolOptions OptionsFor(ulong seed, PlantedBug bug) => TestPool.DefaultOptions(seed) with
    {
        Entropy = SystemEntropy.Instance, // Identities must differ from one process to the next; nothing else depends on them.
        MarkerQuietTime = TimeSpan.Zero,
        MapCacheBytes = 1 << 20,
        Factory = bug.ToFactory(),
    };

    /// <summary>The log of recent writes, of whoever uses a disk.</summary>
    public static RecentWritesPlace RecentOf(IFileSystem user, SimulatedFileSystem disk) => new(user, "/recent", disk.BootId);

    // For half of the seeds the sweep after a kill comes nowhere: what a crash left is settled by whoever comes to it.
    PoolOptions LiveOptions() => OptionsFor(seed, bug) with
    {
        SweepBytesPerSecond = seed % 2 == 0 ? long.MaxValue : 1,
        RecentWrites = logsRecent ? RecentOf(process, disk) : null,
    };

    public static string NameOf(int volume) => $"v{volume % 2}";

    public async Task RunAsync(SimulatedFileSystem simulatedDisk)
    {
        disk = simulatedDisk;
        process = new MortalFileSystem(disk);
        pool = await TestPool.CreateAsync(
            chunks: 12 + random.Next(12) + (writesAtomically ? 32 : 0), LiveOptions(), process, isPlaced: isPlaced);
        disk.RestartTrace();
        while (steps.Count < stepCount) await StepAsync();
        if (isOrderly) await pool.DisposeAsync();
        else await EndAsync();
    }

    async Task StepAsync()
    {
        if (volumes.Count == 0)
        {
            await CreateAsync(steps.Count == 0 ? 0 : steps.Max(step => step.Volume) + 1);
            return;
        }

        // At any time, and nobody is promised anything by it.
        if (random.OneIn(6)) await pool.Pool.Parts.Committer.RunAsync(CommitScope.Spill);

        var volume = random.Pick([.. volumes.Keys]);
        switch (random.Next(100))
        {
            case < 2 when volumes.Count < 2:
                await CreateAsync((steps.Max(step => step.Volume) / 2 * 2) + 2 + (1 - (volume % 2)));
                break;
            case < 48:
                await WriteAsync(volume, StepKind.Write);
                break;
            case < 54:
                await WriteAsync(volume, StepKind.WriteThrough);
                break;
            case < 66:
                await DiscardAsync(volume);
                break;
            case < 80:
                await RunAsync(new Step(steps.Count, StepKind.Flush), async () => await volumes[volume].FlushAsync());
                break;
            case < 88:
                await RunAsync(new Step(steps.Count, StepKind.Commit), pool.Pool.CommitAsync);
                break;
            case < 92:
                await ResizeAsync(volume);
                break;
            case < 94:
                await DeleteAsync(volume, isDamaged: random.OneIn(3) && !isPlaced);
                break;
            case var choice when choice < 96 || isOrderly:
                await RunAsync(new Step(steps.Count, StepKind.Reopen), ReopenAsync);
                break;
            default:
                await RunAsync(new Step(steps.Count, StepKind.Kill), KillAsync);
                await ObserveAsync();
                break;
        }
    }

    async Task CreateAsync(int volume)
    {
        var size = (long)(1 + random.Next(24)) * (128 << 10);
        await RunAsync(new Step(steps.Count, StepKind.Create, volume, SizeBytes: size), async () =>
            volumes[volume] = await pool.CreateVolumeAsync(NameOf(volume), size, volume % 2 == 0 ? 4096 : 512, isThick: random.OneIn(3)));
    }

    async Task DeleteAsync(int volume, bool isDamaged)
    {
        volumes.Remove(volume);
        await RunAsync(new Step(steps.Count, StepKind.Delete, volume), async () =>
        {
            if (isDamaged) await DamageAsync(volume);
            await pool.DeleteVolumeAsync(NameOf(volume));
            await pool.SettleAsync();
        });
    }

    async Task DamageAsync(int volume)
    {
        await pool.DisposeAsync();
        DamagedMap.DamageLeaf(process, NameOf(volume));
        pool = await TestPool.OpenAsync(process, LiveOptions());
        Refresh();
    }

    async Task ResizeAsync(int volume)
    {
        var size = (long)(1 + random.Next(24)) * (128 << 10);
        if (size == volumes[volume].Geometry.SizeBytes) return;
        await RunAsync(new Step(steps.Count, StepKind.Resize, volume, SizeBytes: size), async () =>
            await pool.Pool.ResizeVolumeAsync(NameOf(volume), size, allowShrink: true));
    }

    async Task WriteAsync(int volume, StepKind kind)
    {
        if (writesAtomically && volumes[volume].Geometry.MaxAtomicWriteBytes > 0 && !random.OneIn(3)) kind = StepKind.WriteAtomic;
        if (PickRange(volume, kind) is not { } step) return;
        var data = new byte[step.SectorCount * DescribedSector.SizeBytes];
        for (var i = 0; i < step.SectorCount; i++)
            DescribedSector.Write(data.AsSpan(i * DescribedSector.SizeBytes), volume, step.StartSector + i, step.Number);
        await RunAsync(step, async () => await volumes[volume].WriteAsync(
            FirstBlock(volume, step), data, kind switch
            {
                StepKind.WriteThrough => WriteOptions.ForceUnitAccess,
                StepKind.WriteAtomic => WriteOptions.Atomic,
                _ => WriteOptions.None,
            }));
    }

    async Task DiscardAsync(int volume)
    {
        if (PickRange(volume, StepKind.Discard) is not { } step) return;
        var options = random.OneIn(3) ? ZeroOptions.KeepAllocated : ZeroOptions.None;
        var blocks = step.SectorCount * DescribedSector.SizeBytes / volumes[volume].Geometry.BlockSizeBytes;
        await RunAsync(step, async () => await volumes[volume].WriteZeroesAsync(FirstBlock(volume, step), blocks, options));
    }

    Step? PickRange(int volume, StepKind kind)
    {
        // Often the same place again: discarded and rewritten, written and overwritten.
        if (random.OneIn(steps[^1].Kind == StepKind.Discard ? 2 : 4)
            && steps[^1] is { SectorCount: > 0, Kind: not StepKind.Observe } last && last.Volume == volume)
            return last with { Number = steps.Count, Kind = kind, WasRefused = false };
        var geometry = volumes[volume].Geometry;
        var sectorsPerBlock = geometry.BlockSizeBytes / DescribedSector.SizeBytes;
        var start = (random.Pick(HotSpotBytes) / geometry.BlockSizeBytes) + random.Next(3);
        var count = kind == StepKind.Discard && random.OneIn(2)
            ? (random.Next(3) + 1) * (64 << 10) / geometry.BlockSizeBytes
            : 1 + random.Next(5);
        if (kind == StepKind.WriteAtomic && random.OneIn(3)) count = (4 + random.Next(36)) * MapLayout.BlockBytes / geometry.BlockSizeBytes;
        if (kind == StepKind.Discard && random.OneIn(2)) start = start / 16 * 16;
        return start + count > geometry.BlockCount
            ? null
            : new Step(steps.Count, kind, volume, start * sectorsPerBlock, count * sectorsPerBlock);
    }

    Lba FirstBlock(int volume, Step step) =>
        new(step.StartSector * DescribedSector.SizeBytes / volumes[volume].Geometry.BlockSizeBytes);

    async Task ReopenAsync()
    {
        await pool.ReopenAsync();
        Refresh();
    }

    // The process is gone, the page cache stays: what opening finds may not be durable yet.
    async Task KillAsync()
    {
        await EndAsync();
        process = new MortalFileSystem(disk);
        pool = await TestPool.OpenAsync(process, LiveOptions());
        Refresh();
    }

    async Task ObserveAsync()
    {
        foreach (var (volume, device) in volumes)
        {
            var data = new byte[device.Geometry.SizeBytes];
            await device.ReadAsync(Lba.Zero, data);
            var found = new int[data.Length / DescribedSector.SizeBytes];
            for (var sector = 0; sector < found.Length; sector++)
                found[sector] = DescribedSector.Read(data.AsSpan(sector * DescribedSector.SizeBytes), volume, sector);
            var step = new Step(steps.Count, StepKind.Observe, volume, 0, found.Length) { Found = found };
            await RunAsync(step, () => Task.CompletedTask);
        }
    }

    void Refresh()
    {
        foreach (var volume in volumes.Keys.ToArray()) volumes[volume] = pool.Pool.OpenVolume(NameOf(volume))!;
    }

    async Task RunAsync(Step step, Func<Task> action)
    {
        steps.Add(step);
        disk.Mark(new StepMark(step.Number, IsDone: false));
        try
        {
            // For half of the seeds the caller waits for the disk on its own thread.
            Task running;
            using (seed % 2 == 1 ? InlineWaits.Allow() : InlineWaits.Keep()) running = action();
            await running;
        }
        catch (DeviceFullException)
        {
            step.WasRefused = true;
        }

        disk.Mark(new StepMark(step.Number, IsDone: true));
    }

    // A dead process cannot close anything: closing fails, and only ends its threads.
    async Task EndAsync()
    {
        process.Kill();
        var closing = pool.DisposeAsync().AsTask();
        await Task.WhenAny(closing);
        _ = closing.Exception;
    }
}
