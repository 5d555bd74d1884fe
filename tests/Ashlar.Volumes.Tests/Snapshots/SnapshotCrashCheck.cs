using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// Opens what a crash left and compares: volumes hold what they may, snapshots what they were taken of, exactly; map and free space agree;
/// and when everything is deleted nothing is left.
/// </summary>
sealed class SnapshotCrashCheck(ulong seed, IReadOnlyList<SnapshotStep> steps, PlantedBug bug)
{
    public async Task RunAsync(CrashState state)
    {
        var history = SnapshotHistory.Replay(steps, state.Marks.OfType<StepMark>());
        var pool = await CrashFindingException.OpeningAsync(TestPool.OpenAsync(state.Disk, PoolWorkload.OptionsFor(seed, bug)));
        try
        {
            if (state.Seed % 2 == 0)
            {
                await pool.Pool.WaitForBackgroundAsync();
                await pool.Pool.CommitAsync();
            }

            state.RecoveryDone();
            if (pool.Pool.ListVolumes().Any(each => each.IsRestoring)) await pool.SettleAsync();
            foreach (var (name, content) in history.Volumes) await CheckVolumeAsync(pool.Pool, name, content);
            foreach (var (key, (presence, content)) in history.Snapshots)
            {
                await CheckSnapshotAsync(pool.Pool, key, presence, content, history);
            }

            await pool.SettleAsync();
            var verification = await pool.Pool.VerifyAsync(readData: state.Seed % 5 == 0);
            Require(verification.IsClean, Finding.Disagreement, string.Join("; ", verification.Problems));
            if (state.Seed % 4 == 0) await DeleteAllAsync(pool);
        }
        finally
        {
            await pool.DisposeAsync();
        }
    }

    static async Task CheckVolumeAsync(StoragePool pool, string name, PossibleContent content)
    {
        if (pool.OpenVolume(name) is not { } device)
        {
            Require(content.Presence != Presence.There, Finding.Lost, $"volume {name} is gone");
            return;
        }

        Require(content.Presence != Presence.Gone, Finding.Resurrected, $"deleted volume {name} is back");
        var found = await ReadAsync(device);
        Require(found.Length == content.Length, Finding.Lost, $"volume {name} has {found.Length} sectors");
        if (content.FindImpossible(found) is >= 0 and var sector)
            Fail(found[sector], $"sector {sector} of volume {name} holds version {found[sector]}; allowed: {content.Describe(sector)}");
    }

    static async Task CheckSnapshotAsync(
        StoragePool pool, (string Volume, string Snapshot) key, Presence presence, int[] content, SnapshotHistory history)
    {
        if (pool.FindVolume(key.Volume) is null) return; // Looked at with the volume.
        if (pool.OpenSnapshot(key.Volume, key.Snapshot) is not { } device)
        {
            Require(presence != Presence.There, Finding.Lost, $"snapshot {key} is gone");
            return;
        }

        Require(
            presence != Presence.Gone || history.Volumes[key.Volume].Presence == Presence.Maybe,
            Finding.Resurrected,
            $"deleted snapshot {key} is back");
        var found = await ReadAsync(device);
        for (var sector = 0; sector < content.Length; sector++)
        {
            if (found[sector] != content[sector])
                Fail(found[sector], $"sector {sector} of snapshot {key} holds version {found[sector]} instead of {content[sector]}");
        }
    }

    // Clones go before what they came from.
    static async Task DeleteAllAsync(TestPool pool)
    {
        while (pool.Pool.ListVolumes() is { Count: > 0 } rest)
        {
            foreach (var volume in rest)
            {
                try
                {
                    await (await pool.Pool.DeleteVolumeAsync(volume.Name, withSnapshots: true)).Completion;
                    await pool.SettleAsync();
                }
                catch (SnapshotException inUse) when (inUse.Problem == SnapshotProblem.InUse)
                {
                    // Its turn comes.
                }
            }
        }

        await pool.Pool.CommitAsync();
        await pool.Pool.WaitForBackgroundAsync();
        Require(pool.Pool.GetUsage().AllocatedBytes == 0, Finding.Disagreement, $"{pool.Pool.GetUsage().AllocatedBytes} bytes are left");
        var verification = await pool.Pool.VerifyAsync();
        Require(verification.IsClean, Finding.Disagreement, $"after all was deleted: {string.Join("; ", verification.Problems)}");
        using var left = pool.Pool.Store.Scan(KeyValue.KeyRange.Between("A"u8.ToArray(), "O"u8.ToArray()));
        Require(!left.MoveNext(), Finding.Disagreement, "an entry of the map is left");
    }

    static async Task<int[]> ReadAsync(IBlockDevice device)
    {
        var data = new byte[device.Geometry.SizeBytes];
        await device.ReadAsync(Lba.Zero, data);
        var found = new int[data.Length / VersionedSector.SizeBytes];
        for (var sector = 0; sector < found.Length; sector++)
            found[sector] = VersionedSector.Read(data.AsSpan(sector * VersionedSector.SizeBytes, VersionedSector.SizeBytes), sector);
        return found;
    }

    static void Fail(int found, string problem) =>
        throw new CrashFindingException(found < 0 ? Finding.Foreign : Finding.Lost, problem);

    static void Require(bool condition, Finding finding, string problem) => CrashFindingException.Require(condition, finding, problem);
}
