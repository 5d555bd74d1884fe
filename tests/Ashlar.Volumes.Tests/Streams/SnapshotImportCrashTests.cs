using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Power is lost, or the process dies, at any moment while a snapshot is imported, one that makes a volume and one that goes on with it:
/// the volume is as it was before, or after, and what was said to be imported is there.
/// </summary>
public sealed class SnapshotImportCrashTests(ITestOutputHelper output)
{
    const int Size = 1 << 20, Blocks = Size / 4096;

    [Fact]
    public async Task An_import_is_there_or_not_whenever_power_is_lost_or_the_process_dies()
    {
        var result = await ExploreAsync(recovers: true, new CrashExplorerOptions().Replay);
        output.WriteLine(result.ToString());
        if (new CrashExplorerOptions().Replay is null) Assert.True(result is { Images: >= 100, Points: >= 30 }, result.ToString());
    }

    [Fact]
    public async Task An_import_that_nobody_takes_back_is_found_by_a_crash()
    {
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => ExploreAsync(recovers: false, replay: null));
        Assert.Equal(Finding.Torn, CrashFindingException.Of(found.InnerException));
    }

    static Task<CrashExplorerResult> ExploreAsync(bool recovers, string? replay) => CrashExplorer.ExploreAsync(
        WorkAsync,
        state => CheckAsync(state, recovers),
        new CrashExplorerOptions { StateBudget = 300, NestedOneIn = 20, NestedBudget = 3, KilledOneIn = 4, Replay = replay });

    static async Task WorkAsync(SimulatedFileSystem disk)
    {
        var pool = await TestPool.CreateAsync(options: Options, disk: disk);
        var device = await pool.CreateVolumeAsync("a", Size);
        await device.WriteAsync(Lba.Zero, Content(1).AsMemory(0, Size / 2));
        await pool.Pool.TakeSnapshotAsync("a", "s1");
        await device.WriteAsync(new Lba(Blocks / 4), Content(2).AsMemory(Size / 4));
        await device.TrimAsync(Lba.Zero, 8);
        await pool.Pool.TakeSnapshotAsync("a", "s2");
        var (whole, delta) = (new MemoryStream(), new MemoryStream());
        await pool.Pool.ExportSnapshotAsync("a", "s1", null, whole);
        await pool.Pool.ExportSnapshotAsync("a", "s2", "s1", delta);
        disk.RestartTrace();
        (whole.Position, delta.Position) = (0, 0);
        await pool.Pool.ImportSnapshotAsync("b", whole);
        disk.Mark(new Imported(1));
        await pool.Pool.ImportSnapshotAsync("b", delta);
        disk.Mark(new Imported(2));
        await pool.DisposeAsync();
    }

    static async Task CheckAsync(CrashState state, bool recovers)
    {
        var pool = await CrashFindingException.OpeningAsync(TestPool.OpenAsync(state.Disk, Options));
        await using (pool)
        {
            if (recovers) await pool.Pool.RecoverImportsAsync();
            state.RecoveryDone();
            var imported = state.Marks.OfType<Imported>().Select(mark => mark.Count).Append(0).Max();
            string[] names = [.. pool.Pool.ListVolumes().Select(each => each.Name)];
            Require(names is ["a"] or ["a", "b"], Finding.Torn, $"there are {string.Join(", ", names)}");
            var snapshots = names.Length == 1 ? [] : pool.Pool.ListSnapshots("b").Select(each => each.Name).ToArray();
            Require(snapshots.Length >= imported, Finding.Lost, $"{snapshots.Length} snapshots, and {imported} were imported");
            if (names.Length == 2)
            {
                Require(snapshots is ["s1"] or ["s1", "s2"], Finding.Torn, $"snapshots {string.Join(", ", snapshots)}");
                var (head, wanted) = (await ReadAsync(pool, "b", null), await ReadAsync(pool, "a", snapshots[^1]));
                Require(head.AsSpan().SequenceEqual(wanted), Finding.Torn, $"the volume is not as {snapshots[^1]} is");
            }

            await pool.SettleAsync();
            var verification = await pool.Pool.VerifyAsync(readData: true);
            Require(verification.IsClean, Finding.Disagreement, string.Join("; ", verification.Problems));
        }
    }

    static async Task<byte[]> ReadAsync(TestPool pool, string volume, string? snapshot)
    {
        var device = snapshot is null ? pool.Pool.OpenVolume(volume)! : pool.Pool.OpenSnapshot(volume, snapshot)!;
        var content = new byte[Size];
        await device.ReadAsync(Lba.Zero, content);
        return content;
    }

    static PoolOptions Options => TestPool.DefaultOptions() with { Entropy = SystemEntropy.Instance };

    static byte[] Content(int seed) => new SeededRandom((ulong)seed).Bytes(Size);

    static void Require(bool condition, Finding finding, string problem) => CrashFindingException.Require(condition, finding, problem);

    /// <summary>So many imports have been acknowledged.</summary>
    sealed record Imported(int Count);
}
