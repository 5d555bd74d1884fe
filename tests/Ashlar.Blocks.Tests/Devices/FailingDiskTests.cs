using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>Each call on the disk fails once; what a flush has promised is there all the same.</summary>
public sealed class FailingDiskTests
{
    const string DevicePath = "/disk";
    const int BlockSize = 4096;
    const int Blocks = 8;

    public static TheoryData<FaultOperations, FaultKind> Faults => new()
    {
        { FaultOperations.Sync, FaultKind.InputOutputError },
        { FaultOperations.Sync, FaultKind.LostSync },
        { FaultOperations.Write, FaultKind.InputOutputError },
        { FaultOperations.Write, FaultKind.NoSpace },
        { FaultOperations.Write, FaultKind.ShortWrite },
        { FaultOperations.Read, FaultKind.InputOutputError },
        { FaultOperations.PunchHole | FaultOperations.Allocate, FaultKind.NoSpace },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_device_file_keeps_what_it_flushed(FaultOperations operations, FaultKind kind) => Sweep(
        operations,
        kind,
        disk => DeviceFile.Create(disk, DevicePath, new SeededEntropy(1), Blocks),
        disk => DeviceFile.Open(disk, DevicePath));

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_plain_file_keeps_what_it_flushed(FaultOperations operations, FaultKind kind) => Sweep(
        operations,
        kind,
        disk => FileDevice.Create(disk, DevicePath, Blocks * BlockSize),
        disk => FileDevice.Open(disk, DevicePath));

    [Fact]
    public void A_device_that_could_not_be_created_leaves_nothing_behind()
    {
        var failures = FaultSweep.Run(
            new FaultRule(FaultOperations.Write | FaultOperations.SetLength | FaultOperations.Allocate | FaultOperations.Rename, FaultKind.NoSpace),
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

    static void Sweep(
        FaultOperations operations,
        FaultKind kind,
        Func<IFileSystem, IBlockDevice> create,
        Func<IFileSystem, IBlockDevice> open)
    {
        FaultSweep.Run(
            new FaultRule(operations, kind) { PathPattern = DevicePath },
            () =>
            {
                var disk = new SimulatedFileSystem(isRecording: false);
                create(disk).DisposeAsync().AsTask().GetAwaiter().GetResult();
                return disk;
            },
            disk => RunAsync(disk, open).GetAwaiter().GetResult());
    }

    static async Task RunAsync(FaultyFileSystem disk, Func<IFileSystem, IBlockDevice> open)
    {
        // What each block may hold: what was flushed last, and all that was asked for since.
        var possible = Enumerable.Range(0, Blocks).Select(_ => new List<byte[]> { new byte[BlockSize] }).ToArray();
        var random = new SeededRandom(1);
        IBlockDevice? device = null;
        try
        {
            device = open(disk);
            for (var step = 1; step <= 30; step++)
            {
                var block = random.Next(Blocks);
                switch (step % 5)
                {
                    case 0:
                        await device.FlushAsync();
                        foreach (var contents in possible) contents.RemoveRange(0, contents.Count - 1);
                        break;
                    case 1:
                        possible[block].Add(new byte[BlockSize]);
                        await device.TrimAsync(new Lba(block), 1);
                        break;
                    default:
                        possible[block].Add(new SeededRandom((ulong)step).Bytes(BlockSize));
                        await device.WriteAsync(new Lba(block), possible[block][^1]);
                        break;
                }
            }
            await device.DisposeAsync();
        }
        catch (Exception e) when (e is StorageException or BlockDeviceException)
        {
            // The device told of the fault, and whatever it says from now on it may not forget that a flush failed.
            disk.Heal();
            if (device is not null) await CloseAsync(device);
        }

        disk.Heal();
        await using var reopened = open(disk);
        for (var block = 0; block < Blocks; block++)
        {
            var content = new byte[BlockSize];
            await reopened.ReadAsync(new Lba(block), content);
            for (var offset = 0; offset < BlockSize; offset += 512)
            {
                var sector = content.AsSpan(offset, 512);
                var isKnown = false;
                foreach (var version in possible[block]) isKnown |= sector.SequenceEqual(version.AsSpan(offset, 512));
                Assert.True(isKnown, $"Block {block}, byte {offset}: neither what was flushed nor written since.");
            }
        }
    }

    static async Task CloseAsync(IBlockDevice device)
    {
        try
        {
            await device.DisposeAsync();
        }
        catch (Exception e) when (e is StorageException or BlockDeviceException)
        {
            // It had failed before.
        }
    }
}
