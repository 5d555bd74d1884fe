using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>Each call on the disk fails once; what a flush has promised is there all the same.</summary>
public sealed class FailingDiskTests
{
    const string DevicePath = "/disk";
    const int BlockSize = 4096;
    const int Blocks = 8;

    // The fewest calls that fail: of a device file, and of a plain one.
    public static TheoryData<FaultOperations, FaultKind, int, int> Faults => new()
    {
        { FaultOperations.Sync, FaultKind.InputOutputError, 10, 5 },
        { FaultOperations.Sync, FaultKind.LostSync, 10, 5 },
        { FaultOperations.Write, FaultKind.InputOutputError, 25, 15 },
        { FaultOperations.Write, FaultKind.NoSpace, 25, 15 },
        { FaultOperations.Write, FaultKind.ShortWrite, 25, 15 },
        { FaultOperations.Write, FaultKind.NoSpaceHalfWay, 25, 15 },
        { FaultOperations.Read, FaultKind.InputOutputError, 8, 5 },
        { FaultOperations.PunchHole | FaultOperations.Allocate, FaultKind.NoSpace, 0, 5 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_device_file_keeps_what_it_flushed(FaultOperations operations, FaultKind kind, int least, int leastOfPlain)
    {
        var failed = Sweep(
            operations,
            kind,
            disk => DeviceFile.Create(disk, DevicePath, new SeededEntropy(1), Blocks),
            disk => DeviceFile.Open(disk, DevicePath));
        Assert.True(failed >= least, $"only {failed} calls failed, of {leastOfPlain} on a plain file");
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_plain_file_keeps_what_it_flushed(FaultOperations operations, FaultKind kind, int leastOfDeviceFile, int least)
    {
        var failed = Sweep(
            operations,
            kind,
            disk => FileDevice.Create(disk, DevicePath, Blocks * BlockSize),
            disk => FileDevice.Open(disk, DevicePath));
        Assert.True(failed >= least, $"only {failed} calls failed, of {leastOfDeviceFile} on a device file");
    }

    [Fact]
    public void A_device_that_could_not_be_created_leaves_nothing_behind()
    {
        var failures = FaultSweep.Run(
            new FaultRule(
                FaultOperations.Write | FaultOperations.SetLength | FaultOperations.Allocate | FaultOperations.Rename, FaultKind.NoSpace),
            () => new SimulatedFileSystem(isRecording: false),
            disk =>
            {
                try
                {
                    DeviceFile.Create(disk, DevicePath, new SeededEntropy(1)).DisposeAsync().AsTask().GetAwaiter().GetResult();
                }
                catch (Exception e) when (e is StorageException or BlockDeviceException)
                {
                    disk.Heal();
                    Assert.DoesNotContain("disk.new", disk.List("/"));
                }
            });
        Assert.True(failures > 5);
    }

    static int Sweep(
        FaultOperations operations,
        FaultKind kind,
        Func<IFileSystem, IBlockDevice> create,
        Func<IFileSystem, IBlockDevice> open)
    {
        var seed = TestSeeds.First(nameof(FailingDiskTests));
        return FaultSweep.Run(
            new FaultRule(operations, kind) { PathPattern = DevicePath },
            () =>
            {
                var disk = new SimulatedFileSystem(isRecording: false);
                create(disk).DisposeAsync().AsTask().GetAwaiter().GetResult();
                return disk;
            },
            disk => new Scenario(disk, open, seed, mustFail: operations == FaultOperations.Sync).RunAsync().GetAwaiter().GetResult(),
            seed: seed);
    }

    /// <summary>
    /// Reads, writes, trims and flushes; one call fails because of the disk, and after a failed sync all that change anything.
    /// </summary>
    sealed class Scenario(FaultyFileSystem disk, Func<IFileSystem, IBlockDevice> open, ulong seed, bool mustFail)
    {
        // What each block may hold: what was flushed last, and all that was asked for since; and what it may show now.
        readonly List<byte[]>[] possible = [.. Enumerable.Range(0, Blocks).Select(_ => new List<byte[]> { new byte[BlockSize] })];
        readonly List<byte[]>[] shown = [.. Enumerable.Range(0, Blocks).Select(_ => new List<byte[]> { new byte[BlockSize] })];
        int failures;
        bool isRefusing;

        public async Task RunAsync()
        {
            IBlockDevice? device = null;
            await TryAsync(() =>
            {
                device = open(disk);
                return Task.CompletedTask;
            });
            if (device is not null)
            {
                await WorkAsync(device);
                await TryAsync(() => device.DisposeAsync().AsTask());
            }

            Assert.False(mustFail && disk.FiredCount > 0 && failures == 0, "Nobody was told of a sync that failed.");
            disk.Heal();
            await using var reopened = open(disk);
            for (var block = 0; block < Blocks; block++) await CheckAsync(reopened, block, possible);
        }

        async Task WorkAsync(IBlockDevice device)
        {
            var random = new SeededRandom(seed);
            for (var step = 1; step <= 40; step++)
            {
                var block = random.Next(Blocks);
                switch (step % 6)
                {
                    case 0:
                        if (!await TryAsync(() => device.FlushAsync().AsTask(), isFlush: true)) break;
                        for (var i = 0; i < Blocks; i++) possible[i] = [.. shown[i]];
                        break;
                    case 1:
                        await ChangeAsync(block, new byte[BlockSize], () => device.TrimAsync(new Lba(block), 1).AsTask());
                        break;
                    case 2:
                        // What a disk shows of what it lost is anything, until the device is opened again.
                        if (!isRefusing) await TryAsync(() => CheckAsync(device, block, shown));
                        break;
                    default:
                        var data = random.Bytes(BlockSize);
                        await ChangeAsync(block, data, () => device.WriteAsync(new Lba(block), data).AsTask());
                        break;
                }
            }
        }

        async Task ChangeAsync(int block, byte[] data, Func<Task> change)
        {
            possible[block].Add(data);
            if (await TryAsync(change)) shown[block] = [data];
            else shown[block].Add(data);
        }

        async Task<bool> TryAsync(Func<Task> action, bool isFlush = false)
        {
            try
            {
                await action();
                return true;
            }
            catch (Exception e) when (e is StorageException or BlockDeviceException)
            {
                Assert.True(disk.FiredCount > 0, $"It failed before the disk did: {e.Message}");
                isRefusing |= isFlush;
                Assert.True(++failures == 1 || isRefusing, $"A second request failed because of one call: {e.Message}");
                return false;
            }
        }

        static async Task CheckAsync(IBlockDevice device, int block, List<byte[]>[] allowed)
        {
            var content = new byte[BlockSize];
            await device.ReadAsync(new Lba(block), content);
            for (var offset = 0; offset < BlockSize; offset += 512)
            {
                var sector = content.AsSpan(offset, 512);
                var isKnown = false;
                foreach (var version in allowed[block]) isKnown |= sector.SequenceEqual(version.AsSpan(offset, 512));
                Assert.True(isKnown, $"Block {block}, byte {offset}: neither what was flushed nor written since.");
            }
        }
    }
}
