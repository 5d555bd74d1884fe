using Ashlar.Blocks;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A pool with volumes, snapshots and clones, and the bytes that each of them ought to hold.</summary>
sealed class SnapshotModel : IAsyncDisposable
{
    const int MaxVolumes = 4, MaxSnapshots = 6;

    readonly SeededRandom random;
    readonly TestPool pool;
    readonly Dictionary<string, VolumeModel> volumes = [];
    readonly Dictionary<(string Volume, string Snapshot), byte[]> snapshots = [];
    readonly List<string> history = [];
    int names;

    SnapshotModel(SeededRandom random, TestPool pool) => (this.random, this.pool) = (random, pool);

    public static async Task<SnapshotModel> CreateAsync(SeededRandom random, ulong seed)
    {
        var options = TestPool.DefaultOptions(seed) with { MapCacheBytes = random.OneIn(2) ? 40_000 : 4 << 20 };
        var model = new SnapshotModel(random, await TestPool.CreateAsync(chunks: 2000, options: options));
        await model.CreateAsync();
        return model;
    }

    public async Task StepAsync(int step)
    {
        try
        {
            await StepAsync();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"step {step}, after {string.Join("; ", history.TakeLast(12))}: {e.Message}", e);
        }
    }

    /// <summary>Deletes everything, in any order: nothing is left.</summary>
    public async Task EndAsync()
    {
        foreach (var name in volumes.Keys) await CheckAsync(name, "at the end");
        foreach (var (volume, snapshot) in snapshots.Keys.OrderBy(_ => random.Next(1000)).ToArray())
        {
            await (await pool.Pool.DeleteSnapshotsAsync(volume, [snapshot]));
            snapshots.Remove((volume, snapshot));
            if (random.OneIn(4)) await CheckMapAsync();
        }

        await CheckMapAsync();
        // Clones first: what they came from cannot go before.
        while (volumes.Count > 0)
        {
            foreach (var name in volumes.Keys.OrderBy(_ => random.Next(1000)).ToArray())
            {
                try
                {
                    await pool.DeleteVolumeAsync(name);
                    volumes.Remove(name);
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
        await CheckMapAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        using var leaves = pool.Pool.Store.Scan(KeyValue.KeyRange.Between("C"u8.ToArray(), "M"u8.ToArray()));
        Assert.False(leaves.MoveNext(), "a leaf is left");
        using var left = pool.Pool.Store.Scan(KeyValue.KeyRange.Between("U"u8.ToArray(), "Z"u8.ToArray()));
        Assert.False(left.MoveNext(), "a record is left");
    }

    public async ValueTask DisposeAsync() => await pool.DisposeAsync();

    Task StepAsync() => random.Next(29) switch
    {
        < 9 => ChangeAsync(Pick(), volume => volume.WriteAsync(random, 600), "write"),
        < 11 => ChangeAsync(Pick(), volume => volume.DiscardAsync(random, 300), "discard"),
        11 => ChangeAsync(Pick(), volume => volume.Device.FlushAsync().AsTask(), "flush"),
        < 15 => TakeAsync(),
        15 => DeleteSnapshotAsync(),
        16 => CloneAsync(),
        17 => RestoreAsync(),
        18 => FlattenAsync(),
        19 => ReopenAsync(),
        20 => CheckMapAsync(),
        21 => CreateOrDeleteAsync(),
        22 => CompareAsync(),
        23 => PlaceMoves.MoveAsync(pool.Pool, PickRange()),
        24 => MoveMeanwhileAsync(),
        25 => OrderAsync(),
        26 => AskForChangesAsync(),
        _ => CheckAsync(Pick(), "now"),
    };

    string Pick() => volumes.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(volumes.Count));

    string NewName() => $"n{++names}";

    async Task CreateAsync()
    {
        var (name, mebibytes) = (NewName(), 1 + random.Next(3));
        var size = (mebibytes << 20) - (random.OneIn(2) ? 8192 : 0);
        volumes[name] = new VolumeModel(await pool.CreateVolumeAsync(name, size, random.OneIn(3) ? 512 : 4096), new byte[size]);
        history.Add($"create {name}");
    }

    async Task CreateOrDeleteAsync()
    {
        if (volumes.Count < MaxVolumes)
        {
            await CreateAsync();
            return;
        }

        var name = Pick();
        history.Add($"delete {name}");
        try
        {
            await (await pool.Pool.DeleteVolumeAsync(name, withSnapshots: true)).Completion;
        }
        catch (SnapshotException inUse) when (inUse.Problem == SnapshotProblem.InUse)
        {
            return;
        }

        volumes.Remove(name);
        foreach (var key in snapshots.Keys.Where(key => key.Volume == name).ToArray()) snapshots.Remove(key);
        if (volumes.Count == 0) await CreateAsync();
    }

    async Task ChangeAsync(string name, Func<VolumeModel, Task> change, string what)
    {
        history.Add($"{what} {name}");
        await change(volumes[name]);
    }

    async Task TakeAsync()
    {
        var chosen = volumes.Keys
            .Where(name => random.OneIn(2) && snapshots.Keys.Count(key => key.Volume == name) < MaxSnapshots)
            .ToArray();
        if (chosen.Length == 0) return;
        var name = NewName();
        history.Add($"snapshot {name} of {string.Join(",", chosen)}");
        await pool.Pool.TakeSnapshotsAsync([.. chosen.Select(volume => (volume, name))]);
        foreach (var volume in chosen) snapshots[(volume, name)] = [.. volumes[volume].Expected];
    }

    (long First, long End) PickRange()
    {
        var first = MapLayout.ReservedChunks + random.Next(400);
        history.Add($"move {first}");
        return (first, first + 1 + random.Next(300));
    }

    async Task OrderAsync()
    {
        var name = Pick();
        history.Add($"order {name}");
        try
        {
            await pool.Pool.CreateOrdering(name, random.OneIn(2)).RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        }
        catch (DeviceFullException)
        {
            // As far as there was room.
        }
    }

    // Whatever else is done at the same time.
    async Task MoveMeanwhileAsync()
    {
        var moving = PlaceMoves.MoveAsync(pool.Pool, PickRange());
        var name = Pick();
        for (var i = 0; i < 4; i++)
        {
            await (random.Next(4) switch
            {
                0 => TakeAsync(),
                1 => CheckAsync(Pick(), "while places move"),
                2 => DeleteSnapshotAsync(),
                _ => ChangeAsync(name, volume => volume.WriteAsync(random, 300), "write meanwhile"),
            });
        }

        await moving;
    }

    (string Volume, string Snapshot)? PickSnapshot() =>
        snapshots.Count == 0 ? null : snapshots.Keys.Order().ElementAt(random.Next(snapshots.Count));

    async Task DeleteSnapshotAsync()
    {
        if (PickSnapshot() is not { } picked) return;
        history.Add($"delete {picked}");
        var completion = await pool.Pool.DeleteSnapshotsAsync(picked.Volume, [picked.Snapshot]);
        snapshots.Remove(picked);
        if (random.OneIn(2)) await completion;
    }

    async Task CloneAsync()
    {
        if (PickSnapshot() is not { } picked || volumes.Count >= MaxVolumes) return;
        var name = NewName();
        history.Add($"clone {picked} {name}");
        await pool.Pool.CloneAsync(picked.Volume, picked.Snapshot, name);
        volumes[name] = new VolumeModel(pool.Pool.OpenVolume(name)!, [.. snapshots[picked]]);
    }

    async Task RestoreAsync()
    {
        if (PickSnapshot() is not { } picked) return;
        history.Add($"restore {picked}");
        await pool.Pool.RestoreSnapshotAsync(picked.Volume, picked.Snapshot);
        volumes[picked.Volume].Expected = [.. snapshots[picked]];
        await CheckAsync(picked.Volume, "after it was restored");
    }

    async Task FlattenAsync()
    {
        var name = Pick();
        history.Add($"flatten {name}");
        try
        {
            await pool.Pool.FlattenAsync(name);
        }
        catch (SnapshotException inUse) when (inUse.Problem == SnapshotProblem.InUse)
        {
            return;
        }

        Assert.Null(pool.Pool.FindVolume(name)!.Origin);
    }

    async Task ReopenAsync()
    {
        history.Add("reopen");
        await pool.ReopenAsync();
        foreach (var (name, volume) in volumes) volume.Device = pool.Pool.OpenVolume(name)!;
    }

    async Task CheckMapAsync()
    {
        var found = await pool.Pool.VerifyAsync(readData: random.OneIn(3));
        Assert.True(found.Problems.Count == 0, string.Join("\n", found.Problems.Take(5)));
    }

    async Task CheckAsync(string name, string because)
    {
        await volumes[name].CheckAllAsync($"{name} {because}");
        foreach (var ((volume, snapshot), expected) in snapshots)
        {
            if (volume != name) continue;
            var view = pool.Pool.OpenSnapshot(volume, snapshot)!;
            await new VolumeModel(view, expected).CheckAllAsync($"{volume}@{snapshot} {because}");
        }
    }

    // What is not called changed is the same.
    Task AskForChangesAsync()
    {
        if (PickSnapshot() is not var (volume, since)) return Task.CompletedTask;
        var younger = pool.Pool.ListSnapshots(volume)
            .SkipWhile(each => each.Name != since).Skip(1)
            .Where(each => !each.IsDeleted)
            .ToArray();
        var target = younger.Length == 0 || random.OneIn(2) ? null : younger[random.Next(younger.Length)].Name;
        history.Add($"what changed of {volume}@{target} since {since}");
        var map = pool.Pool.OpenChanges(volume, target, since)!;
        var content = target is null ? volumes[volume].Expected : snapshots[(volume, target)];
        var blockBytes = volumes[volume].Device.Geometry.BlockSizeBytes;
        Assert.Null(ChangeCheck.FindMissing(map, snapshots[(volume, since)], content, blockBytes, random));
        return Task.CompletedTask;
    }

    // What is named is all that differs.
    async Task CompareAsync()
    {
        if (PickSnapshot() is not { } picked) return;
        var older = pool.Pool.ListSnapshots(picked.Volume)
            .TakeWhile(each => each.Name != picked.Snapshot)
            .Where(each => !each.IsDeleted)
            .ToArray();
        var from = older.Length == 0 || random.OneIn(3) ? null : older[random.Next(older.Length)].Name;
        history.Add($"compare {from} {picked}");
        var result = from is null ? new byte[snapshots[picked].Length] : [.. snapshots[(picked.Volume, from)]];
        Array.Resize(ref result, snapshots[picked].Length);
        var view = pool.Pool.OpenSnapshot(picked.Volume, picked.Snapshot)!;
        long end = 0;
        foreach (var extent in pool.Pool.CompareSnapshots(picked.Volume, from, picked.Snapshot))
        {
            Assert.True(extent.OffsetBytes >= end && extent.LengthBytes > 0);
            end = extent.OffsetBytes + extent.LengthBytes;
            var target = result.AsMemory((int)extent.OffsetBytes, (int)extent.LengthBytes);
            if (extent.IsZero) target.Span.Clear();
            else await view.ReadAsync(new Lba(extent.OffsetBytes / view.Geometry.BlockSizeBytes), target);
        }

        Assert.True(result.AsSpan().SequenceEqual(snapshots[picked]), $"{from} and what changed are not {picked}");
    }
}
