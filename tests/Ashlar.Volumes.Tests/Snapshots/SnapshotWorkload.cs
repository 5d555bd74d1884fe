using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// A random workload on a small pool whose volumes have snapshots and clones: each step is announced before and reported after. Without a
/// crash all of it must be right as well.
/// </summary>
sealed class SnapshotWorkload(ulong seed, int stepCount, PlantedBug bug, bool movesPlaces = false, bool writesAtomically = false)
{
    const int MaxVolumes = 3;
    static readonly int[] HotSpots = [0, 16, 120, 400, 2032, 2048, 2500];

    readonly SeededRandom random = new(seed);
    readonly List<SnapshotStep> steps = [];
    readonly List<string> volumes = [];
    readonly List<(string Volume, string Snapshot)> snapshots = [];
    SimulatedFileSystem disk = null!;
    TestPool pool = null!;

    public IReadOnlyList<SnapshotStep> Steps => steps;

    public async Task RunAsync(SimulatedFileSystem simulatedDisk)
    {
        disk = simulatedDisk;
        pool = await TestPool.CreateAsync(chunks: 60 + random.Next(100), PoolWorkload.OptionsFor(seed, bug), disk);
        disk.RestartTrace();
        while (steps.Count < stepCount) await StepAsync();
        await pool.DisposeAsync();
    }

    async Task StepAsync()
    {
        if (volumes.Count == 0)
        {
            var name = $"v{steps.Count}";
            var sectors = 8 * (300 + random.Next(100));
            await RunAsync(new(steps.Count, SnapshotStepKind.Create, [name], SectorCount: sectors), async () =>
            {
                await pool.CreateVolumeAsync(name, (long)sectors * VersionedSector.SizeBytes, 512);
                volumes.Add(name);
            });
            return;
        }

        if (movesPlaces && random.OneIn(4))
        {
            await MoveAsync();
            return;
        }

        if (random.OneIn(8)) await pool.Pool.Parts.Committer.RunAsync(CommitScope.Spill);
        var volume = random.Pick(volumes);
        await (random.Next(100) switch
        {
            < 38 => WriteAsync(volume),
            < 45 => DiscardAsync(volume),
            < 52 => RunAsync(new(steps.Count, SnapshotStepKind.Flush, [volume]), () => pool.Pool.OpenVolume(volume)!.FlushAsync().AsTask()),
            < 57 => RunAsync(new(steps.Count, SnapshotStepKind.Commit, []), pool.Pool.CommitAsync),
            < 73 => TakeAsync(),
            < 82 => DeleteAsync(),
            < 88 => CloneAsync(),
            < 91 => RestoreAsync(),
            < 94 => FlattenAsync(volume),
            < 97 => DeleteVolumeAsync(volume),
            _ => RunAsync(new(steps.Count, SnapshotStepKind.Reopen, []), pool.ReopenAsync),
        });
    }

    Task WriteAsync(string volume)
    {
        var step = PickRange(volume, SnapshotStepKind.Write);
        var data = new byte[step.SectorCount * VersionedSector.SizeBytes];
        for (var i = 0; i < step.SectorCount; i++)
            VersionedSector.Write(data.AsSpan(i * VersionedSector.SizeBytes, VersionedSector.SizeBytes), step.Number, step.StartSector + i);
        var options = writesAtomically && step.Number % 2 == 0 ? WriteOptions.Atomic : WriteOptions.None;
        return RunAsync(step, () => pool.Pool.OpenVolume(volume)!.WriteAsync(new Lba(step.StartSector), data, options).AsTask());
    }

    Task DiscardAsync(string volume)
    {
        var step = PickRange(volume, SnapshotStepKind.Discard);
        return RunAsync(step, () => pool.Pool.OpenVolume(volume)!.WriteZeroesAsync(
            new Lba(step.StartSector), step.SectorCount, random.OneIn(3) ? ZeroOptions.KeepAllocated : ZeroOptions.None).AsTask());
    }

    SnapshotStep PickRange(string volume, SnapshotStepKind kind)
    {
        var sectors = (int)(pool.Pool.FindVolume(volume)!.SizeBytes / VersionedSector.SizeBytes);
        var count = random.Next(5) switch
        {
            0 => 128 * (1 + random.Next(2)),
            1 => 1 + random.Next(7),
            _ => 8 * (1 + random.Next(3)),
        };
        var start = Math.Min(random.Pick(HotSpots) + (8 * random.Next(3)), sectors - count);
        if (count >= 128) start = start / 128 * 128;
        return new(steps.Count, kind, [volume], StartSector: start, SectorCount: count);
    }

    Task TakeAsync()
    {
        var chosen = volumes.Where(_ => random.OneIn(2)).ToArray();
        if (chosen.Length == 0) return Task.CompletedTask;
        var step = new SnapshotStep(steps.Count, SnapshotStepKind.Take, chosen, $"s{steps.Count}");
        return RunAsync(step, async () =>
        {
            await pool.Pool.TakeSnapshotsAsync([.. chosen.Select(volume => (volume, step.Snapshot))]);
            snapshots.AddRange(chosen.Select(volume => (volume, step.Snapshot)));
        });
    }

    Task DeleteAsync()
    {
        if (snapshots.Count == 0) return Task.CompletedTask;
        var (volume, snapshot) = random.Pick(snapshots);
        return RunAsync(new(steps.Count, SnapshotStepKind.Delete, [volume], snapshot), async () =>
        {
            snapshots.Remove((volume, snapshot));
            await (await pool.Pool.DeleteSnapshotsAsync(volume, [snapshot]));
        });
    }

    Task CloneAsync()
    {
        if (snapshots.Count == 0 || volumes.Count >= MaxVolumes) return Task.CompletedTask;
        var (volume, snapshot) = random.Pick(snapshots);
        var name = $"v{steps.Count}";
        return RunAsync(new(steps.Count, SnapshotStepKind.Clone, [volume, name], snapshot), async () =>
        {
            await pool.Pool.CloneAsync(volume, snapshot, name);
            volumes.Add(name);
        });
    }

    Task RestoreAsync()
    {
        if (snapshots.Count == 0) return Task.CompletedTask;
        var (volume, snapshot) = random.Pick(snapshots);
        return RunAsync(
            new(steps.Count, SnapshotStepKind.Restore, [volume], snapshot),
            () => pool.Pool.RestoreSnapshotAsync(volume, snapshot).AsTask());
    }

    Task FlattenAsync(string volume) =>
        RunAsync(new(steps.Count, SnapshotStepKind.Flatten, [volume]), () => pool.Pool.FlattenAsync(volume).AsTask());

    Task MoveAsync()
    {
        var first = MapLayout.ReservedChunks + random.Next(60);
        var range = (first, first + 8 + random.Next(40));
        return RunAsync(new(steps.Count, SnapshotStepKind.Move, []), () => PlaceMoves.MoveAsync(pool.Pool, range));
    }

    Task DeleteVolumeAsync(string volume) => RunAsync(new(steps.Count, SnapshotStepKind.DeleteVolume, [volume]), async () =>
    {
        var deletion = await pool.Pool.DeleteVolumeAsync(volume, withSnapshots: true);
        volumes.Remove(volume);
        snapshots.RemoveAll(each => each.Volume == volume);
        await deletion.Completion;
        await pool.SettleAsync();
    });

    async Task RunAsync(SnapshotStep step, Func<Task> action)
    {
        steps.Add(step);
        disk.Mark(new StepMark(step.Number, IsDone: false));
        try
        {
            await action();
        }
        catch (DeviceFullException) when (step.Kind != SnapshotStepKind.Restore)
        {
            step.WasRefused = true;
        }
        catch (SnapshotException inUse) when (inUse.Problem == SnapshotProblem.InUse)
        {
            step.WasRefused = true;
        }

        disk.Mark(new StepMark(step.Number, IsDone: true));
    }
}
