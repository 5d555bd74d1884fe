using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>The device file after a power cut at every point of a workload.</summary>
public sealed class DeviceFileCrashTests
{
    const string DevicePath = "/disk";
    const int Blocks = 6;
    const int BlockSize = 4096;
    const int SectorSize = 512;

    [Theory, Seeds(count: 6)]
    public async Task What_was_flushed_survives_and_the_rest_is_old_or_new_but_never_foreign(ulong seed)
    {
        var steps = Plan(new SeededRandom(seed), count: 24);
        var options = new CrashExplorerOptions
        {
            Seed = seed,
            StateBudget = 1500,
            NestedOneIn = 40,
            KilledOneIn = 2,
            NestedBudget = 5,
            ShowsOldContent = true,
        };
        var result = await CrashExplorer.ExploreAsync(disk => RunAsync(disk, disk, steps), state => CheckAsync(state, steps), options);
        if (options.Replay is not null) return; // One state of one seed.
        Assert.True(result.Images > 120 && result.Points > 40, result.ToString());
        Assert.True(result.Deaths > 15 && result.Nested > 30, result.ToString());
    }

    // A mistake in the device would be a sync that is not there, or comes too late: what it would have made durable is lost.
    [Theory]
    [InlineData(nameof(SkippedSyncs.All))]
    [InlineData(nameof(SkippedSyncs.OfData))]
    [InlineData(nameof(SkippedSyncs.OfStates))]
    public async Task A_sync_that_is_missing_is_found_by_a_crash_and_by_nothing_else(string skipped)
    {
        const ulong seed = 3;
        var steps = Plan(new SeededRandom(seed), count: 24);
        var disk = new SimulatedFileSystem();
        await RunAsync(disk, new SkippingFileSystem(disk, Enum.Parse<SkippedSyncs>(skipped)), steps);
        await CrashExplorer.CheckEndAsync(disk, state => CheckAsync(state, steps));
        var found = await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk, state => CheckAsync(state, steps), new CrashExplorerOptions { Seed = seed, StateBudget = 1500, Replay = null }));
        Assert.Matches("not what was flushed or written since|Assert.Contains", found.InnerException!.Message);
    }

    [Theory]
    [InlineData(FaultOperations.None)]
    [InlineData(FaultOperations.Sync)]
    [InlineData(FaultOperations.SyncDirectory)]
    public void A_device_exists_whole_or_not_at_all(FaultOperations planted)
    {
        var disk = new SimulatedFileSystem();
        var skipping = new FaultyFileSystem(disk, new FaultRule(planted, FaultKind.Skip) { IsSticky = true });
        DeviceFile.Create(skipping, DevicePath, new SeededEntropy(1), 5000, 512);
        disk.Mark("created");
        var options = new CrashExplorerOptions { KilledOneIn = 1, NestedOneIn = 10 };
        if (planted != FaultOperations.None)
        {
            Assert.Throws<CrashCheckException>(() => CrashExplorer.Explore(disk, Check, options with { Replay = null }));
            return;
        }

        var result = CrashExplorer.Explore(disk, Check, options);
        Assert.True(options.Replay is not null || result is { Distinct: > 20, Deaths: > 10, Nested: > 20 }, result.ToString());

        static void Check(CrashState state)
        {
            if (!state.Disk.FileExists(DevicePath))
            {
                Assert.Empty(state.Marks);
                DeviceFile.Create(state.Disk, DevicePath, new SeededEntropy(2)).DisposeAsync().AsTask().GetAwaiter().GetResult();
                return;
            }
            DeviceFile.Open(state.Disk, DevicePath).DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    // What is on the medium beneath a trimmed block is nobody's business until all of the block is there anew.
    [Fact]
    public async Task A_block_that_is_being_written_again_shows_nothing_of_what_was_trimmed_not_even_after_a_crash()
    {
        var disk = new SimulatedFileSystem();
        var interrupting = new InterruptingFileSystem(disk);
        var device = DeviceFile.Create(interrupting, DevicePath, new SeededEntropy(1), Blocks);
        await device.WriteAsync(Lba.Zero, Content(1));
        await device.TrimAsync(Lba.Zero, 1);
        await device.FlushAsync();
        disk.RestartTrace();
        var seen = Content(9);
        interrupting.BeforeWrite = () =>
        {
            device.ReadAsync(Lba.Zero, seen).AsTask().GetAwaiter().GetResult();
            device.WriteAsync(new Lba(1), Content(2)).AsTask().GetAwaiter().GetResult();
            device.FlushAsync().AsTask().GetAwaiter().GetResult();
        };
        await device.WriteAsync(Lba.Zero, Content(3));
        Assert.Equal(new byte[BlockSize], seen);
        CrashExplorer.Explore(disk, state =>
        {
            var block = new byte[BlockSize];
            using var opened = new Disposer(DeviceFile.Open(state.Disk, DevicePath));
            opened.Device.ReadAsync(Lba.Zero, block).AsTask().GetAwaiter().GetResult();
            AssertMixed(block, [new byte[BlockSize], Content(3)], "block 0");
        });
    }

    [Theory]
    [InlineData(FaultOperations.None)]
    [InlineData(FaultOperations.Sync)]
    [InlineData(FaultOperations.SyncDirectory)]
    public async Task A_plain_file_that_was_created_is_there_at_its_full_length(FaultOperations planted)
    {
        var disk = new SimulatedFileSystem();
        var skipping = new FaultyFileSystem(disk, new FaultRule(planted, FaultKind.Skip) { IsSticky = true });
        var device = FileDevice.Create(skipping, DevicePath, Blocks * BlockSize);
        disk.Mark("created");
        var options = new CrashExplorerOptions { KilledOneIn = 1, Replay = null };
        if (planted == FaultOperations.None) await CrashExplorer.ExploreAsync(disk, CheckAsync, options);
        else await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(disk, CheckAsync, options));
        await device.DisposeAsync();

        static async Task CheckAsync(CrashState state)
        {
            if (state.Marks.Count == 0) return;
            await using var opened = FileDevice.Open(state.Disk, DevicePath);
            var content = Content(1);
            await opened.ReadAsync(new Lba(Blocks - 1), content);
            Assert.Equal(new byte[BlockSize], content);
        }
    }

    // A write that comes between the flush's sync of the data and its write of the states must not be called used by
    // them: its data is not on disk, and beneath the trimmed block lies what it held before.
    [Fact]
    public async Task A_write_during_a_flush_does_not_bring_back_what_was_trimmed()
    {
        var secret = Content(1);
        var disk = new SimulatedFileSystem();
        var interrupting = new InterruptingFileSystem(disk);
        var device = DeviceFile.Create(interrupting, DevicePath, new SeededEntropy(1), Blocks);
        await device.WriteAsync(Lba.Zero, secret);
        await device.FlushAsync();
        await device.TrimAsync(Lba.Zero, 1);
        await device.FlushAsync();
        disk.Mark("trimmed");

        await device.WriteAsync(new Lba(1), Content(2)); // Something for the flush to do.
        interrupting.AfterSync = () => device.WriteAsync(Lba.Zero, Content(3)).AsTask().GetAwaiter().GetResult();
        await device.FlushAsync();
        disk.Mark("flushed");

        CrashExplorer.Explore(disk, state =>
        {
            if (!state.Marks.Contains("trimmed")) return;
            var block = new byte[BlockSize];
            using var opened = new Disposer(DeviceFile.Open(state.Disk, DevicePath));
            opened.Device.ReadAsync(Lba.Zero, block).AsTask().GetAwaiter().GetResult();
            AssertMixed(block, [new byte[BlockSize], Content(3)], "block 0");
            if (!state.Marks.Contains("flushed")) return;
            opened.Device.ReadAsync(new Lba(1), block).AsTask().GetAwaiter().GetResult();
            Assert.Equal(Content(2), block);
        });
        await device.DisposeAsync();
    }

    static List<Step> Plan(SeededRandom random, int count)
    {
        List<Step> steps = [];
        var bad = -1;
        for (var i = 0; i < count; i++)
        {
            var block = random.Next(Blocks - 1); // The last block is the one that goes bad.
            steps.Add(random.Next(12) switch
            {
                < 5 => new Step(StepKind.Write, block, i + 1),
                5 => new Step(StepKind.DurableWrite, block, i + 1),
                < 8 => new Step(StepKind.Trim, block, 0),
                8 when bad < 0 => new Step(StepKind.MarkBad, bad = Blocks - 1, 0),
                8 => new Step(StepKind.Replace, Blocks - 1, 0),
                _ => new Step(StepKind.Flush, 0, 0),
            });
            if (steps[^1].Kind == StepKind.Replace) bad = -1;
        }
        return steps;
    }

    /// <param name="disk">Gets the marks.</param>
    /// <param name="files">What the device lies on.</param>
    /// <param name="steps">What is done.</param>
    static async Task RunAsync(SimulatedFileSystem disk, IFileSystem files, List<Step> steps)
    {
        var device = DeviceFile.Create(files, DevicePath, new SeededEntropy(1), Blocks);
        disk.Mark(-1);
        for (var i = 0; i < steps.Count; i++)
        {
            disk.Mark(i); // Begun.
            var (kind, block, version) = steps[i];
            switch (kind)
            {
                case StepKind.Write:
                    await device.WriteAsync(new Lba(block), Content(version));
                    break;
                case StepKind.DurableWrite:
                    await device.WriteAsync(new Lba(block), Content(version), WriteOptions.ForceUnitAccess);
                    break;
                case StepKind.Trim:
                    await device.TrimAsync(new Lba(block), 1);
                    break;
                case StepKind.MarkBad:
                    await device.MarkBadAsync(new Lba(block));
                    break;
                case StepKind.Replace:
                    await device.ReplaceBlockAsync(new Lba(block));
                    break;
                default:
                    await device.FlushAsync();
                    break;
            }
        }
        disk.Mark(steps.Count); // The last step has returned.
        await device.DisposeAsync();
    }

    static async Task CheckAsync(CrashState state, List<Step> steps)
    {
        if (state.Marks.Count == 0) return; // Creation is the other test's.
        var begun = state.Marks.Cast<int>().Max();
        var possible = Enumerable.Range(0, Blocks).Select(_ => new List<byte[]> { new byte[BlockSize] }).ToArray();
        var possibleStates = new HashSet<bool> { false }; // Whether the last block is bad.
        for (var i = 0; i <= begun && i < steps.Count; i++)
        {
            var hasReturned = i < begun;
            var (kind, block, version) = steps[i];
            switch (kind)
            {
                case StepKind.Write:
                    possible[block].Add(Content(version));
                    break;
                case StepKind.DurableWrite:
                    if (hasReturned) possible[block].Clear();
                    possible[block].Add(Content(version));
                    break;
                case StepKind.Trim:
                    possible[block].Add(new byte[BlockSize]);
                    break;
                case StepKind.MarkBad or StepKind.Replace:
                    if (hasReturned) possibleStates.Clear();
                    possibleStates.Add(kind == StepKind.MarkBad);
                    break;
                case StepKind.Flush when hasReturned:
                    foreach (var contents in possible) contents.RemoveRange(0, contents.Count - 1);
                    break;
                default:
                    break;
            }
        }

        await using var device = DeviceFile.Open(state.Disk, DevicePath);
        Assert.Contains(device.GetState(new Lba(Blocks - 1)) == BlockState.Bad, possibleStates);
        for (var block = 0; block < Blocks - 1; block++)
        {
            var content = new byte[BlockSize];
            await device.ReadAsync(new Lba(block), content);
            AssertMixed(content, possible[block], $"block {block}");
        }
    }

    // A medium writes sectors whole, so of a block that was being written each sector is one of the versions.
    static void AssertMixed(byte[] content, List<byte[]> possible, string what)
    {
        for (var offset = 0; offset < content.Length; offset += SectorSize)
        {
            var sector = content.AsSpan(offset, SectorSize);
            var isKnown = false;
            foreach (var version in possible) isKnown |= sector.SequenceEqual(version.AsSpan(offset, SectorSize));
            Assert.True(isKnown, $"{what}, byte {offset}: not what was flushed or written since.");
        }
    }

    static byte[] Content(int version) => new SeededRandom((ulong)version).Bytes(BlockSize);

    enum StepKind
    {
        Write,
        DurableWrite,
        Trim,
        MarkBad,
        Replace,
        Flush,
    }

    sealed record Step(StepKind Kind, int Block, int Version);

    sealed class Disposer(DeviceFile device) : IDisposable
    {
        public DeviceFile Device => device;

        public void Dispose() => device.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
