using System.Text.Json;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The clock of a pool is set by hours and years, or stopped, all the time: what is written stays, nothing hangs, and what the pool does by
/// itself it does by the time that passes.
/// </summary>
public sealed class ClockJumpTests(ITestOutputHelper output)
{
    const int Operations = 80, MaxBlocks = 40;
    const long Size = 2 << 20;

    [Fact]
    public async Task What_is_written_stays_and_what_nobody_flushes_is_committed_by_the_time_that_passes()
    {
        var seeds = TestSeeds.Several(nameof(ClockJumpTests), TestTier.Choose(10, 200));
        var cases = seeds.Length;
        var (jumps, commits, reopened) = (0, 0, 0);
        foreach (var seed in seeds)
        {
            try
            {
                var met = await RunAsync(seed).WaitAsync(TimeSpan.FromMinutes(5));
                (jumps, commits, reopened) = (jumps + met.Jumps, commits + met.Commits, reopened + met.Reopened);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed}: {failure.Message}", failure);
            }
        }

        output.WriteLine(JsonSerializer.Serialize(
            new { line = "clock jumps (pools)", seed = seeds[0], cases, jumps, commits, reopened, failures = 0 }));
        Assert.True(
            jumps >= 10 * cases && commits >= cases && reopened >= cases,
            $"only {jumps} jumps, {commits} commits, {reopened} openings");
    }

    static async Task<(int Jumps, int Commits, int Reopened)> RunAsync(ulong seed)
    {
        var random = SeededRandom.For(seed, "operations");
        var clock = new JumpyClock(seed);
        await using var pool = await TestPool.CreateAsync(chunks: 64, options: TestPool.DefaultOptions(seed) with { TimeProvider = clock });
        var volume = new VolumeModel(await pool.CreateVolumeAsync("disk", Size), new byte[Size]);
        var (commits, reopened) = (0, 0);
        for (var operation = 0; operation < Operations; operation++)
        {
            _ = clock.GetUtcNow(); // Whoever asks may find it set.
            switch (random.Next(12))
            {
                case 0:
                    await pool.ReopenAsync();
                    volume.Device = pool.Pool.OpenVolume("disk")!;
                    reopened++;
                    break;
                case 1:
                    await volume.WriteAsync(random, MaxBlocks);
                    await pool.CreateVolumeAsync($"v{operation}", 1 << 20);
                    await pool.DeleteVolumeAsync($"v{operation}");
                    break;
                case 2: await volume.DiscardAsync(random, MaxBlocks); break;
                case 3: await volume.Device.FlushAsync(); break;
                case 4: clock.Advance(TimeSpan.FromMinutes(random.Next(1, 100))); break;
                case 5:
                    await CommitByTimeAsync();
                    commits++;
                    break;
                case < 9: await volume.CheckRangeAsync(random, MaxBlocks, $"operation {operation}"); break;
                default: await volume.WriteAsync(random, MaxBlocks); break;
            }
        }

        await pool.ReopenAsync();
        volume.Device = pool.Pool.OpenVolume("disk")!;
        await volume.CheckAllAsync("at the end");
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
        return (clock.Jumps, commits, reopened + 1);

        // A place that was not there before makes a piece of the map dirty.
        async Task CommitByTimeAsync()
        {
            await volume.Device.FlushAsync();
            await volume.Device.TrimAsync(Lba.Zero, Size / 4096);
            await volume.Device.FlushAsync();
            volume.Expected.AsSpan().Clear();
            var before = pool.Pool.GetStatistics().LeavesWritten;
            await volume.WriteAsync(random, MaxBlocks);
            clock.Advance(pool.Options.CommitInterval);
            Assert.True(
                SpinWait.SpinUntil(() => pool.Pool.GetStatistics().LeavesWritten > before, TimeSpan.FromMinutes(1)),
                "nothing was committed");
        }
    }
}
