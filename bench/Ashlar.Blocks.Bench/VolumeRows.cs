using System.Diagnostics;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Blocks.Bench;

/// <summary>What volumes cost over the device that they lie on, within one process: no client, no network.</summary>
static class VolumeRows
{
    const int BlockBytes = 4096, Mebibyte = 1 << 20, Writers = 2;
    const long Gibibyte = 1L << 30, Tebibyte = 1L << 40;

    static readonly (string Name, Func<string, Task> Run)[] Groups =
        [("thick", CompareThickAsync), ("first", CompareFirstWritesAsync), ("map", MeasureMetadataAsync), ("largest", MeasureLargestAsync)];

    /// <summary>Runs the groups of rows that are named: thick, first, map, largest; all when none is.</summary>
    public static async Task RunAsync(string directory, IReadOnlyCollection<string> wanted)
    {
        foreach (var (name, run) in Groups)
            if (wanted.Count == 0 || wanted.Contains(name, StringComparer.Ordinal)) await run(directory);
    }

    static async Task CompareThickAsync(string directory)
    {
        const long Size = 512L << 20;
        const int Count = 40_000;
        await using var pool = await CreatePoolAsync(Path.Combine(directory, "thick"), 2 * Gibibyte);
        await pool.CreateVolumeAsync("thick", new VolumeOptions { SizeBytes = Size, BlockSizeBytes = BlockBytes, IsThick = true });
        var volume = pool.OpenVolume("thick")!;
        await using var bare = FileDevice.Create(FileSystems.Real, Path.Combine(directory, "bare"), Size);
        foreach (var device in (IBlockDevice[])[volume, bare]) await FillAsync(device);
        foreach (var isWrite in (bool[])[false, true])
        {
            List<double> ours = [], theirs = [];
            for (var round = 0; round < Measuring.Rounds; round++)
            {
                ours.Add(await RandomAsync(volume, isWrite, Count, round));
                theirs.Add(await RandomAsync(bare, isWrite, Count, round));
            }

            var name = isWrite ? "write" : "read";
            Measuring.Print($"thick: 4 KiB random {name}, {Writers} at a time, against the bare file device, 1/s", ours, theirs);
        }
    }

    // The first write of each MiB, and of each block in it, in an order that nothing foresees; then the same once more.
    static async Task CompareFirstWritesAsync(string directory)
    {
        const long Size = 512L << 20;
        const int Count = 40_000;
        await using var pool = await CreatePoolAsync(Path.Combine(directory, "thin"), 64 * Gibibyte);
        List<double> ours = [], theirs = [];
        for (var round = 0; round < Measuring.Rounds; round++)
        {
            await pool.CreateVolumeAsync($"thin{round}", new VolumeOptions { SizeBytes = Size, BlockSizeBytes = BlockBytes });
            var volume = pool.OpenVolume($"thin{round}")!;
            ours.Add(await RandomAsync(volume, isWrite: true, Count, round));
            await volume.FlushAsync();
            theirs.Add(await RandomAsync(volume, isWrite: true, Count, round));
            await volume.FlushAsync();
            await (await pool.DeleteVolumeAsync($"thin{round}")).Completion;
        }

        Measuring.Print($"thin: first 4 KiB random write, {Writers} at a time, against overwriting, 1/s", ours, theirs);
    }

    // Volumes that are full, for then their map is largest: some 2 KB for each MiB, so 1 MiB of memory holds that of 512. The two differ in
    // nothing but the memory.
    static async Task MeasureMetadataAsync(string directory)
    {
        const long Size = 2 * Gibibyte;
        const int Count = 40_000;
        var (scarceStore, ampleStore) = (OpenStore(Path.Combine(directory, "scarce")), OpenStore(Path.Combine(directory, "ample")));
        await using var scarcePool = await CreatePoolAsync(Path.Combine(directory, "scarce"), 3 * Gibibyte, scarceStore, 1 << 20);
        await using var amplePool = await CreatePoolAsync(Path.Combine(directory, "ample"), 3 * Gibibyte, ampleStore, 16 << 20);
        foreach (var pool in (StoragePool[])[scarcePool, amplePool])
        {
            await pool.CreateVolumeAsync("disk", new VolumeOptions { SizeBytes = Size, BlockSizeBytes = BlockBytes });
            await FillAsync(pool.OpenVolume("disk")!);
        }

        List<double> ours = [], theirs = [];
        List<double> bytes = [];
        for (var round = 0; round < Measuring.Rounds; round++)
        {
            var before = MetadataBytes(scarceStore);
            ours.Add(await RandomAsync(scarcePool.OpenVolume("disk")!, isWrite: true, Count, round));
            await scarcePool.CommitAsync();
            bytes.Add((MetadataBytes(scarceStore) - before) / (double)(Count * (long)BlockBytes));
            theirs.Add(await RandomAsync(amplePool.OpenVolume("disk")!, isWrite: true, Count, round));
            await amplePool.CommitAsync();
        }

        Measuring.Print(
            $"4 KiB random write, {Writers} at a time, over 4 times what the map cache holds, against a cache that holds all, 1/s",
            ours,
            theirs);
        var median = bytes.Order().ElementAt(bytes.Count / 2);
        Console.WriteLine(FormattableString.Invariant(
            $"metadata written for each byte of data, over 4 times what the map cache holds\t{median:F3}"));
    }

    // A volume of 64 TiB that little of is used.
    static async Task MeasureLargestAsync(string directory)
    {
        const long Size = 64 * Tebibyte;
        const int Touched = 20_000;
        await using var pool = await CreatePoolAsync(Path.Combine(directory, "largest"), 64 * Gibibyte);
        var elapsed = Stopwatch.StartNew();
        await pool.CreateVolumeAsync("largest", new VolumeOptions { SizeBytes = Size, BlockSizeBytes = BlockBytes });
        PrintSeconds("create", elapsed);
        var volume = pool.OpenVolume("largest")!;
        var random = new Random(1);
        elapsed.Restart();
        for (var i = 0; i < Touched; i++) await volume.WriteAsync(new Lba(random.NextInt64(Size / BlockBytes)), OneBlock(i));
        await volume.FlushAsync();
        PrintSeconds($"write {Touched} blocks anywhere", elapsed);
        Console.WriteLine($"a volume of 64 TiB: memory of the map, MiB\t{pool.GetStatistics().MapCacheBytes / Mebibyte}");
        elapsed.Restart();
        _ = pool.ListVolumes();
        PrintSeconds("list", elapsed);
        elapsed.Restart();
        var deletion = await pool.DeleteVolumeAsync("largest");
        PrintSeconds("delete, for everyone", elapsed);
        await deletion.Completion;
        PrintSeconds("delete, until its space is back", elapsed);
    }

    static KeyValueStore OpenStore(string directory)
    {
        Directory.CreateDirectory(directory);
        return KeyValueStore.Open(Path.Combine(directory, "map"));
    }

    static Task<StoragePool> CreatePoolAsync(string directory, long capacityBytes) =>
        CreatePoolAsync(directory, capacityBytes, OpenStore(directory), mapCacheBytes: 256 << 20);

    static async Task<StoragePool> CreatePoolAsync(string directory, long capacityBytes, KeyValueStore store, long mapCacheBytes)
    {
        var options = new PoolOptions { MapCacheBytes = mapCacheBytes };
        var device = FileDevice.Create(
            FileSystems.Real, Path.Combine(directory, "data"), StoragePool.DeviceBytesFor(capacityBytes), BlockBytes);
        await StoragePool.FormatAsync("bench", device, store, options);
        return await StoragePool.OpenAsync(device, store, options);
    }

    static async Task FillAsync(IBlockDevice device)
    {
        var piece = new byte[Mebibyte];
        Random.Shared.NextBytes(piece);
        for (var at = 0L; at < device.Geometry.SizeBytes; at += piece.Length)
            await device.WriteAsync(new Lba(at / device.Geometry.BlockSizeBytes), piece);
        await device.FlushAsync();
    }

    static Task<double> RandomAsync(IBlockDevice device, bool isWrite, int count, int seed)
    {
        return Measuring.RateAsync(
            isProcessorTime: false,
            count,
            () => Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WorkAsync(writer)))));

        async Task WorkAsync(int writer)
        {
            var random = new Random((seed * Writers) + writer);
            var block = OneBlock(seed);
            for (var i = 0; i < count / Writers; i++)
            {
                var at = new Lba(random.NextInt64(device.Geometry.SizeBytes / BlockBytes));
                BitConverter.TryWriteBytes(block, i);
                if (isWrite) await device.WriteAsync(at, block);
                else await device.ReadAsync(at, block);
            }
        }
    }

    static byte[] OneBlock(int seed)
    {
        var block = new byte[BlockBytes];
        new Random(seed).NextBytes(block);
        return block;
    }

    static long MetadataBytes(KeyValueStore store)
    {
        var written = store.GetStatistics();
        return written.LogBytesWritten + written.TableBytesWritten;
    }

    static void PrintSeconds(string what, Stopwatch elapsed) => Console.WriteLine(
        FormattableString.Invariant($"a volume of 64 TiB: {what}, s\t{elapsed.Elapsed.TotalSeconds:F2}"));
}
