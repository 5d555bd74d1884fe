using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, at any moment while a pool grows and what it has more is written: it is as large as it was, or as
/// large as was asked for, and what was flushed is there.
/// </summary>
public sealed class GrowthCrashTests(ITestOutputHelper output)
{
    const int Chunk = MapLayout.ChunkBytes, BlocksPerChunk = MapLayout.BlocksPerChunk;

    static readonly int[] Sizes = [8, 20, 21];

    [Fact]
    public async Task A_pool_that_grows_survives_power_loss_and_the_death_of_its_process_at_any_point()
    {
        var result = await ExploreAsync(PlantedBug.None, new CrashExplorerOptions().Replay, budget: TestTier.Choose(500, 1200));
        output.WriteLine(result.ToString());
        if (new CrashExplorerOptions().Replay is not null) return;
        Assert.True(result is { Images: >= 150, Points: >= 40, Nested: >= 20, Deaths: >= 3 }, result.ToString());
    }

    [Theory]
    [InlineData(nameof(PlantedBug.GrowBeforeDevice), nameof(Finding.DoesNotOpen))]
    [InlineData(nameof(PlantedBug.GrowthNotDurable), nameof(Finding.Lost))]
    public async Task A_planted_bug_is_found_by_a_crash_and_by_nothing_else(string name, string finding)
    {
        var bug = Enum.Parse<PlantedBug>(name);
        var disk = new SimulatedFileSystem();
        await WorkAsync(disk, bug);
        await CrashExplorer.CheckEndAsync(disk, CheckAsync);
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => ExploreAsync(bug, replay: null));
        Assert.Equal(finding, CrashFindingException.Of(found.InnerException).ToString());
    }

    [Fact]
    public async Task A_pool_grows_with_its_metadata_on_its_device()
    {
        var result = await ExploreAsync(
            PlantedBug.None, new CrashExplorerOptions().Replay, isPlaced: true, budget: TestTier.Choose(200, 4000));
        if (new CrashExplorerOptions().Replay is null) Assert.True(result.Images >= TestTier.Choose(100, 250), $"only {result}");
    }

    [Fact]
    public async Task Chunks_that_are_given_out_too_early_are_found_by_a_crash()
    {
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            async disk =>
            {
                var pool = await TestPool.CreateAsync(chunks: 8, OptionsFor(PlantedBug.GiveOutBeforeGrown), disk);
                disk.RestartTrace();
                await pool.Pool.GrowAsync(20 * Chunk);
            },
            async state => await (await OpenAsync(state)).DisposeAsync(),
            new CrashExplorerOptions { StateBudget = 500, Replay = null }));
        Assert.Equal(nameof(Finding.DoesNotOpen), CrashFindingException.Of(found.InnerException).ToString());
    }

    static Task<CrashExplorerResult> ExploreAsync(
        PlantedBug bug, string? replay, bool isPlaced = false, int budget = 1200) =>
        CrashExplorer.ExploreAsync(
        disk => WorkAsync(disk, bug, isPlaced),
        CheckAsync,
        new CrashExplorerOptions
        {
            StateBudget = budget,
            NestedOneIn = 10,
            NestedBudget = 5,
            KilledOneIn = 4,
            ShowsOldContent = true,
            Replay = replay,
        });

    // Full, larger, full again, and once more within the same group of chunks.
    static async Task WorkAsync(SimulatedFileSystem disk, PlantedBug bug, bool isPlaced = false)
    {
        var pool = await TestPool.CreateAsync(Sizes[0], OptionsFor(bug), disk, isPlaced: isPlaced);
        var volume = await pool.CreateVolumeAsync("disk", 64 * Chunk);
        disk.RestartTrace();
        for (var step = 0; ; step++)
        {
            var written = step == 0 ? 0 : Sizes[step - 1];
            await volume.WriteAsync(new Lba(written * BlocksPerChunk), Content(written, Sizes[step] - written));
            await volume.FlushAsync();
            disk.Mark(new Reached(Sizes[step], IsWritten: true));
            if (step == Sizes.Length - 1) break;
            await pool.Pool.GrowAsync(Sizes[step + 1] * Chunk);
            disk.Mark(new Reached(Sizes[step + 1], IsWritten: false));
        }

        await pool.DisposeAsync();
    }

    static async Task CheckAsync(CrashState state)
    {
        var pool = await OpenAsync(state);
        await using (pool)
        {
            state.RecoveryDone();
            var grown = state.Marks.OfType<Reached>().Select(mark => mark.Chunks).Append(Sizes[0]).Max();
            var written = state.Marks.OfType<Reached>().Where(mark => mark.IsWritten).Select(mark => mark.Chunks).Append(0).Max();
            var capacity = pool.Pool.GetUsage().CapacityBytes / Chunk;
            Require(capacity >= grown, Finding.Lost, $"the pool has {capacity} chunks, and had {grown}");
            Require(Sizes.Contains((int)capacity), Finding.Foreign, $"the pool has {capacity} chunks, which nobody asked for");
            var found = new byte[written * Chunk];
            await pool.Pool.OpenVolume("disk")!.ReadAsync(Lba.Zero, found);
            for (var chunk = 0; chunk < written; chunk++)
            {
                var isThere = found.AsSpan(chunk * Chunk, Chunk).SequenceEqual(Content(chunk, 1));
                Require(isThere, Finding.Lost, $"chunk {chunk} is not what was flushed");
            }

            var verification = await pool.Pool.VerifyAsync(readData: true);
            Require(verification.IsClean, Finding.Disagreement, string.Join("; ", verification.Problems));

            // It goes on growing.
            await pool.Pool.GrowAsync(40 * Chunk);
            await pool.Pool.OpenVolume("disk")!.WriteAsync(Lba.Zero, Content(0, 40));
            await pool.ReopenAsync();
            Require(pool.Pool.GetUsage().CapacityBytes == 40 * Chunk, Finding.Lost, "the pool did not keep its new size");
        }
    }

    static Task<TestPool> OpenAsync(CrashState state) =>
        CrashFindingException.OpeningAsync(TestPool.OpenAsync(state.Disk, OptionsFor(PlantedBug.None)));

    static PoolOptions OptionsFor(PlantedBug bug) =>
        TestPool.DefaultOptions() with { Entropy = SystemEntropy.Instance, Factory = bug.ToFactory() };

    static byte[] Content(int firstChunk, int chunks)
    {
        var content = new byte[chunks * Chunk];
        for (var i = 0; i < chunks; i++) new SeededRandom((ulong)(firstChunk + i)).Fill(content.AsSpan(i * Chunk, Chunk));
        return content;
    }

    static void Require(bool condition, Finding finding, string problem) => CrashFindingException.Require(condition, finding, problem);

    /// <summary>The pool has so many chunks, and they are written or not.</summary>
    sealed record Reached(int Chunks, bool IsWritten);
}
