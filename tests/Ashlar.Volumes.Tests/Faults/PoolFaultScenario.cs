using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// One of everything that a pool does, on a disk of which one operation fails: what was answered is there, what failed is old or new,
/// whatever power takes afterwards, and a failed sync is told to somebody.
/// </summary>
/// <param name="disk">The disk.</param>
/// <param name="faulty">The same, as the pool sees it.</param>
/// <param name="seed">Of identities, of where on the volumes it is, and of what power takes.</param>
/// <param name="mustBeTold">Whether the fault may not pass unnoticed.</param>
/// <param name="mayTear">Whether a write that fails may leave a block half written.</param>
sealed class PoolFaultScenario(SimulatedFileSystem disk, FaultyFileSystem faulty, ulong seed, bool mustBeTold, bool mayTear)
{
    const int SectorsPerBlock = 8, BlocksPerLeaf = MapLayout.BlocksPerLeaf;

    readonly List<PossibleVolume> volumes = [];
    readonly SeededRandom places = SeededRandom.For(seed, "places"), losses = SeededRandom.For(seed, "losses");
    TestPool? pool;
    int version, failures, refusals, lossesLeft = 3;
    bool wasLatched, hasFlushed, isProbed;

    /// <summary>Options of a pool that is opened; each opening has identities of its own.</summary>
    public static PoolOptions OptionsOf(ulong seed, string opening) => TestPool.DefaultOptions() with
    {
        Entropy = new SeededEntropy(SeededRandom.For(seed, opening).NextUInt64()),
        MarkerQuietTime = TimeSpan.Zero,
        MapCacheBytes = 8000,
    };

    PoolOptions Options(string opening) => OptionsOf(seed, opening);

    /// <summary>Requests that failed.</summary>
    public int Failures => failures;

    /// <summary>Sectors that were compared, on all disks.</summary>
    public long Compared => volumes.Sum(volume => volume.Compared);

    public async Task RunAsync()
    {
        var isOpen = await TryAsync(
            async () => pool = await TestPool.OpenAsync(faulty, Options("work"), storeOptions: TestPool.SmallStore));
        if (!isOpen) failures--;
        if (pool is not null) await WorkAsync();
        faulty.Heal();
        if (pool is not null) await CloseAsync();
        if (mustBeTold && faulty.FiredCount > 0 && failures == 0 && !wasLatched)
            throw new InvalidDataException("nobody was told of the fault");
        await CheckAsync(disk, wasLost: wasLatched);
    }

    async Task WorkAsync()
    {
        var thin = await CreateAsync("thin", 4096, 3 * BlocksPerLeaf * 4096L, isThick: false);
        var small = await CreateAsync("small", 512, BlocksPerLeaf * 4096L, isThick: false);
        var thick = await CreateAsync("thick", 4096, 20 * 4096, isThick: true);
        var inThin = places.Next(BlocksPerLeaf - 50) * (long)SectorsPerBlock;
        var inSmall = places.Next(1000);
        await WriteAsync(thin, inThin, 40 * SectorsPerBlock);
        await WriteAsync(small, inSmall + 3, 20);
        await WriteAsync(thick, 0, 3 * SectorsPerBlock);
        await FlushAsync(thin);
        await WriteAsync(thin, inThin, 40 * SectorsPerBlock); // More than one piece of a file, in place.
        await CommitAsync();
        await TakeSnapshotAsync(thin);
        await WriteAsync(small, inSmall + 5, 2);
        await WriteAsync(thick, 2 * SectorsPerBlock, 3 * SectorsPerBlock);
        await FlushAsync(thick);
        await DiscardAsync(thin, inThin + (8 * SectorsPerBlock), 24 * SectorsPerBlock);
        await WriteAsync(thin, (BlocksPerLeaf - 2) * SectorsPerBlock, 4 * SectorsPerBlock); // Two pieces of the map.
        await ReadAsync();
        await ResizeAsync(thick, 40 * 4096);
        await WriteAsync(thick, 30 * SectorsPerBlock, 8 * SectorsPerBlock);
        await FlushAsync(small);
        await WriteAsync(thin, inThin + (9 * SectorsPerBlock), SectorsPerBlock);
        await ResizeAsync(thin, BlocksPerLeaf * 4096L);
        for (var leaf = 0; leaf < 3; leaf++) await WriteAsync(small, inSmall + (leaf * 300), 9);
        await CommitAsync();
        await DeleteSnapshotAsync(thin);
        await DeleteAsync(small);
        var second = await CreateAsync("second", 512, BlocksPerLeaf * 4096L, isThick: false);
        await WriteAsync(second, inSmall + 40, 9);
        await CommitAsync();
        await ReadAsync();
    }

    async Task<PossibleVolume> CreateAsync(string name, int blockSizeBytes, long sizeBytes, bool isThick)
    {
        var volume = new PossibleVolume(volumes.Count + 1, name, blockSizeBytes, sizeBytes, mayTear);
        volumes.Add(volume);
        var isDone = await TryAsync(async () => await pool!.CreateVolumeAsync(name, sizeBytes, blockSizeBytes, isThick));
        if (isDone) volume.Resized(sizeBytes, isDone: true);
        return volume;
    }

    async Task TakeSnapshotAsync(PossibleVolume volume)
    {
        if (Find(volume) is null) return;
        if (await TryAsync(() => pool!.Pool.TakeSnapshotAsync(volume.Name, "snapshot").AsTask()))
            foreach (var each in volumes) each.Flushed();
    }

    async Task DeleteSnapshotAsync(PossibleVolume volume)
    {
        if (pool!.Pool.FindSnapshot(volume.Name, "snapshot") is null) return;
        await TryAsync(() => pool.Pool.DeleteSnapshotsAsync(volume.Name, ["snapshot"]).AsTask());
        await pool.SettleAsync();
    }

    async Task DeleteAsync(PossibleVolume volume)
    {
        if (Find(volume) is null) return;
        var isDone = await TryAsync(async () => await pool!.Pool.DeleteVolumeAsync(volume.Name));
        volume.Resized(0, isDone);
        await pool!.SettleAsync();
    }

    async Task ResizeAsync(PossibleVolume volume, long sizeBytes)
    {
        if (Find(volume) is null) return;
        volume.Resized(
            sizeBytes, await TryAsync(async () => await pool!.Pool.ResizeVolumeAsync(volume.Name, sizeBytes, allowShrink: true)));
    }

    async Task WriteAsync(PossibleVolume volume, long startSector, int count)
    {
        if (Find(volume) is not { } device || device.Geometry.SizeBytes < (startSector + count) * DescribedSector.SizeBytes) return;
        version++;
        var data = new byte[count * DescribedSector.SizeBytes];
        for (var i = 0; i < count; i++)
            DescribedSector.Write(data.AsSpan(i * DescribedSector.SizeBytes), volume.Number, startSector + i, version);
        var isDone = await TryAsync(() => device.WriteAsync(LbaOf(volume, startSector), data).AsTask());
        volume.Changed(startSector, count, version, isDone);
    }

    async Task DiscardAsync(PossibleVolume volume, long startSector, int count)
    {
        if (Find(volume) is not { } device) return;
        var isDone = await TryAsync(
            () => device.TrimAsync(LbaOf(volume, startSector), count * DescribedSector.SizeBytes / volume.BlockSizeBytes).AsTask());
        volume.Changed(startSector, count, 0, isDone);
    }

    async Task FlushAsync(PossibleVolume volume)
    {
        if (Find(volume) is { } device) await FlushAsync(() => device.FlushAsync().AsTask());
    }

    // After the fault also when the markers are cleared, durably: then nothing that power takes may be missed any more.
    async Task CommitAsync()
    {
        await FlushAsync(pool!.Pool.CommitAsync);
        if (faulty.FiredCount == 0 || isProbed || wasLatched) return;
        isProbed = true;
        await pool.Pool.Parts.Markers.ClearAllAsync();
        await CreateAsync("probe", 4096, 4096, isThick: false);
        for (var loss = 0; loss < 4; loss++) await CheckAsync(disk.LosePower(losses.NextUInt64()), wasLost: true);
    }

    // Power may fail right after it; the first few times after the fault are looked at.
    async Task FlushAsync(Func<Task> flush)
    {
        if (!await TryAsync(flush)) return;
        foreach (var volume in volumes) volume.Flushed();
        hasFlushed = faulty.FiredCount > 0;
        if (faulty.FiredCount == 0 || lossesLeft-- <= 0) return;
        await CheckAsync(disk.LosePower(losses.NextUInt64()), wasLost: true);
    }

    async Task ReadAsync()
    {
        foreach (var volume in volumes)
            if (Find(volume) is { } device) await volume.CheckAsync(device, wasLost: false, MayFailOnce);
    }

    bool MayFailOnce()
    {
        failures++;
        return faulty.FiredCount > 0 && (wasLatched || failures == 1);
    }

    IBlockDevice? Find(PossibleVolume volume) => pool!.Pool.OpenVolume(volume.Name);

    // One operation fails, so one request may, and no other; unless it left the pool in doubt, which then refuses whatever changes it,
    // or short of space, until it has committed again.
    async Task<bool> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (Exception e) when (e is AshlarException or BlockDeviceException or OutOfMemoryException)
        {
            failures++;
            wasLatched |= pool?.Pool.GetStatistics().Failure is not null;
            if (faulty.FiredCount == 0) throw;
            if (!wasLatched && !(e is DeviceFullException && !hasFlushed) && ++refusals > 1)
                throw new InvalidDataException($"a second request failed because of one fault: {e.Message}", e);
            return false;
        }
    }

    async Task CloseAsync()
    {
        wasLatched |= pool!.Pool.GetStatistics().Failure is not null;
        try
        {
            await pool.DisposeAsync();
        }
        catch (Exception e) when (e is AshlarException or BlockDeviceException or OutOfMemoryException)
        {
            wasLatched = true;
        }
    }

    async Task CheckAsync(SimulatedFileSystem from, bool wasLost)
    {
        await using var found = await TestPool.OpenAsync(from, Options("check"), storeOptions: TestPool.SmallStore);
        await found.SettleAsync();
        await found.Pool.WaitForBackgroundAsync();
        foreach (var volume in volumes)
        {
            var size = found.Pool.FindVolume(volume.Name)?.SizeBytes ?? 0;
            if (!volume.Sizes.Contains(size))
                throw new InvalidDataException($"{volume.Name} has {size} bytes; allowed: {string.Join(", ", volume.Sizes)}");
            if (size > 0) await volume.CheckAsync(found.Pool.OpenVolume(volume.Name)!, wasLost, () => false);
        }

        var problems = (await found.Pool.VerifyAsync()).Problems;
        if (problems.Count > 0) throw new InvalidDataException(string.Join("; ", problems));
    }

    static Lba LbaOf(PossibleVolume volume, long sector) => new(sector * DescribedSector.SizeBytes / volume.BlockSizeBytes);
}
