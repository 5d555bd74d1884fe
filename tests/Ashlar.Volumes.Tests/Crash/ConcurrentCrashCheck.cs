using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Opens what a crash left of a <see cref="ConcurrentWorkload"/> and compares.</summary>
sealed class ConcurrentCrashCheck(ulong seed, PlantedBug bug)
{
    const int LargestBytes = 4 << 20;

    readonly Memory<byte> buffer = new byte[LargestBytes]; // States are checked one after the other.

    /// <summary>The most flushes of one state that ended, of those that overlapped a write.</summary>
    public int OverlappingFlushes { get; private set; }

    /// <summary>Sectors that were compared.</summary>
    public long Compared { get; private set; }

    public async Task RunAsync(CrashState state)
    {
        var history = ConcurrentHistory.Replay(state.Marks.OfType<ConcurrentMark>());
        OverlappingFlushes = Math.Max(OverlappingFlushes, history.OverlappingFlushes);
        var pool = await CrashFindingException.OpeningAsync(
            TestPool.OpenAsync(state.Disk, ConcurrentWorkload.OptionsFor(seed, bug), storeOptions: TestPool.SmallStore));
        try
        {
            if (state.Seed % 2 == 0)
            {
                await pool.Pool.WaitForBackgroundAsync();
                await pool.Pool.CommitAsync();
            }

            state.RecoveryDone();
            await CheckContentAsync(pool.Pool, history, state.Seed);
            await pool.SettleAsync();
            var verification = await pool.Pool.VerifyAsync(readData: state.Seed % 5 == 0);
            Require(verification.IsClean, Finding.Disagreement, string.Join("; ", verification.Problems));
            if (state.Seed % 4 != 0) return;
            await pool.ReopenAsync();
            await CheckContentAsync(pool.Pool, history, state.Seed + 1);
        }
        finally
        {
            await pool.DisposeAsync();
        }
    }

    async Task CheckContentAsync(StoragePool pool, ConcurrentHistory history, ulong sample)
    {
        foreach (var (volume, sizes) in history.Sizes)
        {
            var name = ConcurrentWorkload.NameOf(volume);
            var size = pool.FindVolume(name)?.SizeBytes ?? 0;
            Require(
                sizes.Contains(size),
                size == 0 ? Finding.Lost : Finding.Resurrected,
                $"{name} has {size} bytes; allowed: {string.Join(", ", sizes)}");
            if (size > 0) await CheckContentAsync(pool, name, volume, history, sample);
        }
    }

    async Task CheckContentAsync(StoragePool pool, string name, int volume, ConcurrentHistory history, ulong sample)
    {
        var device = pool.OpenVolume(name)!;
        var content = buffer[..(int)device.Geometry.SizeBytes];
        var sectors = history.SectorsOf(volume).Where(each => each.Sector * DescribedSector.SizeBytes < content.Length).ToList();
        await SampledRead.RunAsync(device, content, sectors.Select(each => each.Sector), sample);
        foreach (var (sector, versions) in sectors)
        {
            var bytes = content.Span.Slice((int)(sector * DescribedSector.SizeBytes), DescribedSector.SizeBytes);
            var found = DescribedSector.Read(bytes, volume, sector);
            Require(
                versions.Contains(found),
                Finding.Lost,
                $"sector {sector} of {name} holds version {found}; allowed: {string.Join(", ", versions)}");
            bytes.Clear();
            Compared++;
        }

        Require(!content.Span.ContainsAnyExcept((byte)0), Finding.Resurrected, $"{name} has data where nothing was ever written");
    }

    static void Require(bool condition, Finding finding, string problem) => CrashFindingException.Require(condition, finding, problem);
}
