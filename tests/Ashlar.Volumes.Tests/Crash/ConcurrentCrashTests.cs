using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>Power is lost while several writers are at work; every disk that could come back is opened and checked.</summary>
public sealed class ConcurrentCrashTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_pool_survives_power_loss_under_several_writers(ulong seed)
    {
        // How much the writers meet is up to a scheduler that may have other things to do.
        const int Attempts = 5, EnoughOverlapping = 5;
        for (var attempt = 1; ; attempt++)
        {
            var (result, overlapping) = await ExploreAsync(seed, PlantedBug.None, stateBudget: 1200);
            output.WriteLine($"seed {seed}: {result}, {overlapping} flushes overlapped a write");
            Assert.True(result.Distinct >= 1000, result.ToString());
            Assert.True(result.Nested >= 100, result.ToString());
            if (overlapping >= EnoughOverlapping) break;
            Assert.True(attempt < Attempts, $"{overlapping} flushes overlapped a write");
        }
    }

    [Theory]
    [InlineData(nameof(PlantedBug.SkipDataFlush))]
    [InlineData(nameof(PlantedBug.MarkerNotDurable))]
    [InlineData(nameof(PlantedBug.MapBeforeData))]
    [InlineData(nameof(PlantedBug.FlushWithoutMap))]
    [InlineData(nameof(PlantedBug.ClearMarkersEarly))]
    [InlineData(nameof(PlantedBug.MapNotDurable))]
    public async Task A_planted_bug_is_found_under_several_writers(string name)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        for (ulong seed = 1; seed <= 8; seed++)
        {
            try
            {
                await ExploreAsync(seed, bug, stateBudget: 400);
            }
            catch (Exception found) when (found is CrashCheckException or AshlarException or InvalidDataException)
            {
                output.WriteLine($"seed {seed}: {found.Message}");
                return;
            }
        }

        Assert.Fail($"{bug} was not found.");
    }

    static async Task<(CrashExplorerResult Result, int OverlappingFlushes)> ExploreAsync(ulong seed, PlantedBug bug, int stateBudget)
    {
        var overlapping = 0;
        var result = await CrashExplorer.ExploreAsync(
            new ConcurrentWorkload(seed, bug).RunAsync,
            async state =>
            {
                var history = ConcurrentHistory.Replay(state.Marks.OfType<ConcurrentMark>());
                overlapping = Math.Max(overlapping, history.OverlappingFlushes);
                await CheckAsync(seed, bug, state, history);
            },
            new CrashExplorerOptions { Seed = seed, StateBudget = stateBudget, NestedOneIn = 10, NestedBudget = 3 });
        return (result, overlapping);
    }

    static async Task CheckAsync(ulong seed, PlantedBug bug, CrashState state, ConcurrentHistory history)
    {
        var pool = await TestPool.OpenAsync(state.Disk, ConcurrentWorkload.OptionsFor(seed, bug));
        try
        {
            if (state.Seed % 2 == 0)
            {
                await pool.Pool.WaitForBackgroundAsync();
                await pool.Pool.CommitAsync();
            }

            state.RecoveryDone();
            await CheckContentAsync(pool.Pool, history);
            var verification = await pool.Pool.VerifyAsync(readData: true);
            if (!verification.IsClean) throw new InvalidDataException(string.Join("; ", verification.Problems));
            await pool.ReopenAsync();
            await CheckContentAsync(pool.Pool, history);
        }
        finally
        {
            await pool.DisposeAsync();
        }
    }

    static async Task CheckContentAsync(StoragePool pool, ConcurrentHistory history)
    {
        var contents = new byte[ConcurrentWorkload.Names.Length][];
        for (var volume = 0; volume < contents.Length; volume++)
        {
            var device = pool.OpenVolume(ConcurrentWorkload.Names[volume])!;
            contents[volume] = new byte[device.Geometry.SizeBytes];
            await device.ReadAsync(Lba.Zero, contents[volume]);
        }

        foreach (var (volume, sector, versions) in history.Sectors)
        {
            var bytes = contents[volume].AsSpan((int)(sector * DescribedSector.SizeBytes), DescribedSector.SizeBytes);
            var found = DescribedSector.Read(bytes, volume, sector);
            if (!versions.Contains(found))
            {
                throw new InvalidDataException(
                    $"sector {sector} of {ConcurrentWorkload.Names[volume]} holds version {found}; allowed: {string.Join(", ", versions)}");
            }

            bytes.Clear();
        }

        for (var volume = 0; volume < contents.Length; volume++)
        {
            if (contents[volume].AsSpan().ContainsAnyExcept((byte)0))
                throw new InvalidDataException($"{ConcurrentWorkload.Names[volume]} has data where nothing was ever written");
        }
    }
}
