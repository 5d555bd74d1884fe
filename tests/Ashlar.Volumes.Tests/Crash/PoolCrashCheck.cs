using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Opens what a crash left and compares: every sector holds a version that it had at or after the last completed flush, nothing
/// is foreign, nothing fails, map and free space agree, and the pool goes on working.
/// </summary>
sealed class PoolCrashCheck(ulong seed, IReadOnlyList<Step> steps, PlantedBug bug, bool logsRecent = false)
{
    const int LargestBytes = 4 << 20;

    readonly Memory<byte> buffer = new byte[LargestBytes]; // States are checked one after the other.

    /// <summary>Blocks of which it was clear that they had to change as a whole.</summary>
    public int JudgedUntorn { get; private set; }

    /// <summary>Atomic writes of several blocks of which it was found that all, or nothing, is there.</summary>
    public int JudgedAtomic { get; private set; }

    public async Task RunAsync(CrashState state)
    {
        var volumes = PoolHistory.Replay(
            steps, state.Marks.OfType<StepMark>(), losesNothing: logsRecent && state.KeepsPageCache);
        var options = PoolWorkload.OptionsFor(seed, bug);
        if (logsRecent)
        {
            options = options with { RecentWrites = PoolWorkload.RecentOf(state.Disk, state.Disk) };
            if (state.KeepsPageCache) await DieInRecoveryAsync(state, options);
        }

        var pool = await CrashFindingException.OpeningAsync(TestPool.OpenAsync(state.Disk, options));
        try
        {
            if (state.Seed % 2 == 0)
            {
                await pool.Pool.WaitForBackgroundAsync();
                await pool.Pool.CommitAsync();
            }

            state.RecoveryDone();
            await CheckVolumesAsync(pool.Pool, volumes, state.Seed);
            await pool.SettleAsync();
            CheckThick(state.Disk, pool.Pool);
            // A leaf of it may be damaged, on purpose.
            foreach (var doomed in volumes.Where(volume => volume.Value.MayBeDeleted).Select(volume => PoolWorkload.NameOf(volume.Key)))
                if (pool.Pool.FindVolume(doomed) is not null) await pool.DeleteVolumeAsync(doomed);
            await pool.SettleAsync();
            var verification = await pool.Pool.VerifyAsync(readData: state.Seed % 5 == 0);
            Require(verification.IsClean, Finding.Disagreement, string.Join("; ", verification.Problems));
            if (state.Seed % 7 < 4)
                foreach (var info in pool.Pool.ListVolumes()) await CheckGrownAsync(pool.Pool, info);
            if (state.Seed % 7 != 0) return; // The rest costs more than all of the above.
            await CheckLifeGoesOnAsync(pool);
        }
        finally
        {
            await pool.DisposeAsync();
        }
    }

    // The next process dies as well, at some write of its recovery, and the one after it.
    static async Task DieInRecoveryAsync(CrashState state, PoolOptions options)
    {
        var random = new SeededRandom(state.Seed);
        for (var deaths = random.Next(3); deaths > 0; deaths--)
        {
            var process = new MortalFileSystem(state.Disk) { WritesLeft = random.Next(30) };
            TestPool? pool = null;
            try
            {
                pool = await TestPool.OpenAsync(process, options with { RecentWrites = PoolWorkload.RecentOf(process, state.Disk) });
            }
            catch (AshlarException)
            {
                // It died before it was open.
            }

            process.Kill();
            if (pool is null) continue;
            var closing = pool.DisposeAsync().AsTask();
            await Task.WhenAny(closing);
            _ = closing.Exception;
        }
    }

    async Task CheckVolumesAsync(StoragePool pool, SortedDictionary<int, VolumeHistory> volumes, ulong sample)
    {
        foreach (var group in volumes.GroupBy(volume => PoolWorkload.NameOf(volume.Key)))
        {
            var info = pool.FindVolume(group.Key);
            var (number, newest) = group.MaxBy(volume => volume.Key);
            if (info is null)
            {
                Require(!newest.IsCreated || newest.MayBeDeleted, Finding.Lost, $"volume {number} is gone");
                continue;
            }

            Require(!newest.IsDeleted, Finding.Resurrected, $"deleted volume {number} is back");
            Require(
                newest.Sizes.Contains(info.SizeBytes),
                Finding.Lost,
                $"volume {number} has {info.SizeBytes} bytes instead of {string.Join(" or ", newest.Sizes)}");
            if (newest.MayBeDeleted) continue;
            await CheckContentAsync(number, newest, pool.OpenVolume(group.Key)!, sample);
        }
    }

    // Thick means thick: every chunk is there, in the pool and on the disk.
    static void CheckThick(SimulatedFileSystem disk, StoragePool pool)
    {
        var keptBytes = 0L;
        var extents = new BlockExtent[LargestBytes / 512];
        foreach (var info in pool.ListVolumes().Where(info => info.IsThick))
        {
            var device = pool.OpenVolume(info.Name)!;
            try
            {
                foreach (var extent in extents[..device.DescribeExtents(Lba.Zero, device.Geometry.BlockCount, extents)])
                    Require(extent.Kind != BlockExtentKind.Hole, Finding.Unbacked, $"thick {info.Name} has unallocated space");
            }
            catch (CorruptDataException)
            {
                continue; // Damaged on purpose, before it is deleted.
            }

            keptBytes += (info.SizeBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes * MapLayout.ChunkBytes;
        }

        using var file = disk.Open("/pool.data", FileOpenMode.ReadOnly);
        Require(
            file.AllocatedBytes >= keptBytes,
            Finding.Unbacked,
            $"thick volumes keep {keptBytes} bytes, the disk has {file.AllocatedBytes}");
    }

    async Task CheckContentAsync(int number, VolumeHistory volume, IBlockDevice device, ulong sample)
    {
        var data = buffer[..(int)device.Geometry.SizeBytes];
        await SampledRead.RunAsync(device, data, volume.Sectors.Select(each => each.Key), sample);
        long expectedZerosFrom = 0;
        var block = new Dictionary<long, List<(long Sector, SectorHistory History, int Found)>>();
        var versions = new Dictionary<long, int>();
        foreach (var (sector, history) in volume.Sectors)
        {
            var offset = sector * DescribedSector.SizeBytes;
            if (offset >= data.Length) break;
            RequireZeros(number, data, expectedZerosFrom, offset);
            expectedZerosFrom = offset + DescribedSector.SizeBytes;
            var found = DescribedSector.Read(data.Span[(int)offset..], number, sector);
            Require(
                history.Allows(found, sector),
                Finding.Lost,
                $"sector {sector} of volume {number} holds version {found}; allowed: "
                    + $"{string.Join(" | ", history.Candidates.Select(step => step?.ToString() ?? "zeros"))}");
            if (!block.TryGetValue(offset / MapLayout.BlockBytes, out var neighbours))
                block.Add(offset / MapLayout.BlockBytes, neighbours = []);
            neighbours.Add((sector, history, found));
            versions.Add(sector, found);
        }

        RequireZeros(number, data, expectedZerosFrom, data.Length);
        foreach (var neighbours in block.Values) CheckNotTorn(number, neighbours);
        foreach (var step in steps.Where(step => step.Kind == StepKind.WriteAtomic && step.Volume == number))
            CheckAtomic(volume, step, versions);
    }

    // All of it is there, or nothing: no sector may hold what was there before while another holds what was written.
    void CheckAtomic(VolumeHistory volume, Step step, Dictionary<long, int> versions)
    {
        long? written = null, old = null;
        for (var sector = step.StartSector; sector < step.StartSector + step.SectorCount; sector++)
        {
            if (!versions.TryGetValue(sector, out var found)) continue;
            if (found == step.Number) written = sector;
            else if (volume.Sector(sector).IsBefore(step, found, sector)) old = sector;
        }

        if (written is not null && old is not null)
            Require(false, Finding.Torn, $"{step} is there at sector {written} and not at sector {old}");
        if ((written ?? old) is not null && step.SectorCount * DescribedSector.SizeBytes > MapLayout.BlockBytes) JudgedAtomic++;
    }

    // What was cut off by shrinking does not come back.
    async Task CheckGrownAsync(StoragePool pool, VolumeInfo info)
    {
        try
        {
            await pool.ResizeVolumeAsync(info.Name, LargestBytes);
        }
        catch (DeviceFullException) when (info.IsThick)
        {
            Require(pool.FindVolume(info.Name)!.SizeBytes == info.SizeBytes, Finding.Unbacked, $"{info.Name} could not grow and has grown");
            return;
        }

        var tail = buffer[..(int)(LargestBytes - info.SizeBytes)];
        await pool.OpenVolume(info.Name)!.ReadAsync(new Lba(info.SizeBytes / info.BlockSizeBytes), tail);
        Require(
            !tail.Span.ContainsAnyExcept((byte)0),
            Finding.Resurrected,
            $"{info.Name} has data beyond its old end of {info.SizeBytes} bytes");
    }

    // Only overwriting in place may tear, between sectors. A block that was mapped, or unmapped, by one step changed as a whole.
    void CheckNotTorn(int number, List<(long Sector, SectorHistory History, int Found)> sectors)
    {
        var open = sectors.Where(sector => sector.History.Candidates.Count > 1).ToList();
        if (open.Count == 0 || open.Exists(sector => sector.History.Candidates.Count != 2)) return;
        var step = open[0].History.Candidates[1]!;
        if (open.Exists(sector => sector.History.Candidates[1] != step) || step.Kind == StepKind.Observe) return;
        var wasEmpty = sectors.TrueForAll(sector => sector.History.Candidates[0] is not { } last || IsUnmapping(last, sector.Sector));
        var isEmptied = step.Kind is StepKind.Discard && open.Count == MapLayout.BlockBytes / DescribedSector.SizeBytes;
        if (!wasEmpty && !isEmptied) return;
        JudgedUntorn++;
        var isNew = open
            .FindAll(sector => sector.History.VersionOf(0, sector.Sector) != sector.History.VersionOf(1, sector.Sector))
            .ConvertAll(sector => sector.Found == sector.History.VersionOf(1, sector.Sector));
        Require(
            isNew.TrueForAll(value => value) || !isNew.Contains(true),
            Finding.Torn,
            $"the block at sector {open[0].Sector} of volume {number}, by {step}");
    }

    // A discard of a part of a block writes zeros in place: the block stays mapped.
    static bool IsUnmapping(Step step, long sector)
    {
        const long InBlock = MapLayout.BlockBytes / DescribedSector.SizeBytes;
        var start = sector / InBlock * InBlock;
        return step.Kind is StepKind.Discard && step.StartSector <= start && step.StartSector + step.SectorCount >= start + InBlock;
    }

    async Task CheckLifeGoesOnAsync(TestPool pool)
    {
        foreach (var info in pool.Pool.ListVolumes())
        {
            var device = pool.Pool.OpenVolume(info.Name)!;
            var data = new SeededRandom(seed).Bytes(info.BlockSizeBytes);
            try
            {
                await device.WriteAsync(new Lba(1), data);
                await device.FlushAsync();
            }
            catch (DeviceFullException)
            {
                continue;
            }

            await pool.ReopenAsync();
            var found = new byte[data.Length];
            await pool.Pool.OpenVolume(info.Name)!.ReadAsync(new Lba(1), found);
            Require(found.AsSpan().SequenceEqual(data), Finding.Lost, "what was written after the crash is not there");
            break;
        }

        var verification = await pool.Pool.VerifyAsync(readData: true);
        Require(verification.IsClean, Finding.Disagreement, $"after going on: {string.Join("; ", verification.Problems)}");
    }

    static void RequireZeros(int number, Memory<byte> data, long from, long end) => Require(
        !data.Span[(int)from..(int)end].ContainsAnyExcept((byte)0),
        Finding.Resurrected,
        $"volume {number} has data between bytes {from} and {end}, where nothing was ever written");

    static void Require(bool condition, Finding finding, string problem) => CrashFindingException.Require(condition, finding, problem);
}
