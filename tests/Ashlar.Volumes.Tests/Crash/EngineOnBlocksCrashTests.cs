using System.Buffers.Binary;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.FileSystem;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The engine in a file system on blocks: power is lost, or the process dies, at every point of random workloads with merging, and what
/// comes back is the beginning of what was written, with all that was durable.
/// </summary>
public sealed class EngineOnBlocksCrashTests(ITestOutputHelper output)
{
    const string DevicePath = "/device", StorePath = "/store";
    const int RegionBytes = 4 << 20, Writes = 160, Keys = 40;

    [Fact]
    public void A_store_in_a_file_system_on_blocks_holds_what_was_promised()
    {
        var seeds = TestSeeds.Several(nameof(EngineOnBlocksCrashTests), TestTier.Choose(2, 16));
        var (images, merges) = (0, 0L);
        Parallel.ForEach(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            var disk = new SimulatedFileSystem();
            var merged = Work(disk, seed);
            var result = CrashExplorer.Explore(disk, state => Check(state, seed), new CrashExplorerOptions
            {
                Seed = seed,
                StateBudget = TestTier.Choose(250, 2500),
                RandomSubsets = 4,
                LongestFamily = 16,
                NestedOneIn = 60,
                NestedBudget = 4,
                KilledOneIn = 16,
            });
            output.WriteLine($"seed {seed}: {result}, {merged} bytes merged");
            Interlocked.Add(ref images, result.Images);
            Interlocked.Add(ref merges, merged);
        });
        if (new CrashExplorerOptions().Replay is not null) return;
        Assert.True(images >= TestTier.Choose(250, 16_000), $"only {images} distinct disks");
        Assert.True(merges > 0, "nothing was merged");
    }

    static long Work(SimulatedFileSystem disk, ulong seed)
    {
        var device = FileDevice.Create(disk, DevicePath, RegionBytes);
        BlockFileSystem.Format(device, [new(0, RegionBytes)], Options(seed));
        using var files = BlockFileSystem.Open(device, 0, Options(seed));
        using var store = KeyValueStore.Open(StorePath, StoreOptions(files, seed));
        store.Put([1], [0, 0, 0, 0], Durability.Sync);
        disk.SyncDirectory("/");
        disk.RestartTrace();
        var random = SeededRandom.For(seed, "engine on blocks");
        for (var number = 1; number <= Writes; number++)
        {
            var durability = random.OneIn(3) ? Durability.Sync : Durability.Relaxed;
            disk.Mark(number);
            store.Write(BatchOf(seed, number), durability);
            if (durability == Durability.Sync) disk.Mark(-number);
            if (random.OneIn(40)) store.Compact();
        }

        return store.GetStatistics().CompactionBytesWritten;
    }

    // What a number writes is known from the number.
    static WriteBatch BatchOf(ulong seed, int number)
    {
        var batch = new WriteBatch();
        foreach (var (key, value) in ChangesOf(seed, number))
        {
            if (value is null) batch.Delete([2, key]);
            else batch.Put([2, key], value);
        }

        var last = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(last, number);
        batch.Put([1], last);
        return batch;
    }

    static IEnumerable<(byte Key, byte[]? Value)> ChangesOf(ulong seed, int number)
    {
        var random = SeededRandom.For(seed, $"batch {number}");
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var key = (byte)random.Next(Keys);
            yield return (key, random.OneIn(5) ? null : random.Bytes(random.Next(random.OneIn(10) ? 6000 : 300)));
        }
    }

    static void Check(CrashState state, ulong seed)
    {
        var begun = state.Marks.OfType<int>().DefaultIfEmpty(0).Max();
        var promised = Math.Max(0, -state.Marks.OfType<int>().DefaultIfEmpty(0).Min());
        var device = FileDevice.Open(state.Disk, DevicePath);
        using var files = BlockFileSystem.Open(device, 0, Options(seed));
        using (var store = KeyValueStore.Open(StorePath, StoreOptions(files, state.Seed)))
        {
            state.RecoveryDone();
            var found = BinaryPrimitives.ReadInt32LittleEndian(store.Get([1])!);
            if (found < promised || found > begun)
                throw new InvalidOperationException($"{promised} writes were promised and {begun} begun; {found} are there");
            RequireSame(store, seed, found);
            store.Put([3], [3], Durability.Sync);
        }

        if (files.Verify() is { IsSound: false } check)
            throw new InvalidOperationException($"{check}: leaked {check.Leaked.Count}, twice {check.DoublyOwned.Count}");
    }

    static void RequireSame(KeyValueStore store, ulong seed, int through)
    {
        var expected = new SortedDictionary<byte, byte[]>();
        for (var number = 1; number <= through; number++)
        {
            foreach (var (key, value) in ChangesOf(seed, number))
            {
                if (value is null) expected.Remove(key);
                else expected[key] = value;
            }
        }

        using var actual = store.Scan(KeyRange.Prefix([2]));
        foreach (var (key, value) in expected)
        {
            if (!actual.MoveNext() || actual.Key[1] != key || !actual.Value.SequenceEqual(value))
                throw new InvalidOperationException($"key {key} is not as write {through} left it");
        }

        if (actual.MoveNext()) throw new InvalidOperationException($"key {actual.Key[1]} is there after write {through}");
    }

    static BlockFileSystemOptions Options(ulong seed) => new()
    {
        UnitBytes = 4096,
        AreaBytes = 64 << 10,
        MaxDirtyBytes = 64 << 10,
        CacheBytes = 64 << 10,
        Entropy = new SeededEntropy(seed),
    };

    static KeyValueOptions StoreOptions(BlockFileSystem files, ulong seed) => TestPool.SmallStore with
    {
        FileSystem = files,
        TimeProvider = new SimulatedClock(),
        Entropy = new SeededEntropy(seed),
    };
}
