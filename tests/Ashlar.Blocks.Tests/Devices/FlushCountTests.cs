using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>A flush may do nothing only if nothing that anybody can know of has changed since the last one.</summary>
public sealed class FlushCountTests
{
    const int BlockSize = 4096;
    const int PieceBytes = 64 << 10; // Writes reach the file in pieces of this size.

    readonly ScriptedFile file = new(64 * BlockSize);
    readonly FileDevice device;

    public FlushCountTests() => device = new FileDevice(file);

    [Fact]
    public async Task What_a_failed_write_has_written_is_flushed()
    {
        await device.FlushAsync();
        FailFromSecondPiece();
        await Assert.ThrowsAsync<DeviceFullException>(async () => await device.WriteAsync(Lba.Zero, new byte[2 * PieceBytes]));
        await device.FlushAsync();
        Assert.Equal(2, file.Syncs);
    }

    [Fact]
    public async Task What_failed_zeroing_has_written_is_flushed()
    {
        await device.FlushAsync();
        file.PunchHoleFailure = ScriptedFile.Failure("fallocate", StorageErrorKind.NotSupported, Errno.NotSupported);
        FailFromSecondPiece();
        await Assert.ThrowsAsync<DeviceFullException>(
            async () => await device.WriteZeroesAsync(Lba.Zero, 2 * PieceBytes / BlockSize));
        await device.FlushAsync();
        Assert.Equal(2, file.Syncs);
    }

    // The flush begins and ends while the write is under way, so it may have missed what the write does afterwards.
    [Fact]
    public async Task A_write_that_outlasts_a_flush_is_flushed_by_the_next()
    {
        file.BeforeWrite = _ =>
        {
            file.BeforeWrite = null;
            device.FlushAsync().AsTask().GetAwaiter().GetResult();
        };
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
        Assert.Equal(1, file.Syncs);
        await device.FlushAsync();
        Assert.Equal(2, file.Syncs);
    }

    [Fact]
    public async Task A_write_that_comes_while_a_flush_is_under_way_is_flushed_by_the_next()
    {
        await device.WriteAsync(Lba.Zero, new byte[BlockSize]);
        file.Medium.Reset();
        var flushing = Task.Run(() => device.FlushAsync().AsTask());
        Assert.True(await file.SyncBegun.WaitAsync(TimeSpan.FromMinutes(1)), "no sync has begun");
        await device.WriteAsync(new Lba(1), new byte[BlockSize]);
        file.Medium.Set();
        await flushing;
        await device.FlushAsync();
        Assert.Equal(2, file.Syncs);
    }

    [Fact]
    public async Task What_a_failed_write_of_a_device_file_has_written_is_flushed()
    {
        var disk = new FaultyFileSystem(new SimulatedFileSystem(isRecording: false));
        await using var stateful = DeviceFile.Create(disk, "/disk", new SeededEntropy(1), 64);
        await stateful.WriteAsync(Lba.Zero, new byte[2 * PieceBytes]);
        await stateful.FlushAsync();
        var syncs = new FaultRule(FaultOperations.Sync, FaultKind.Skip) { Nth = int.MaxValue };
        disk.Add(syncs);
        disk.Add(new FaultRule(FaultOperations.Write, FaultKind.NoSpace) { Nth = 2 });
        await Assert.ThrowsAsync<DeviceFullException>(async () => await stateful.WriteAsync(Lba.Zero, new byte[2 * PieceBytes]));
        Assert.Equal(0, disk.CountMatches(syncs));
        await stateful.FlushAsync();
        Assert.Equal(1, disk.CountMatches(syncs));
    }

    void FailFromSecondPiece() => file.BeforeWrite = offset =>
    {
        if (offset >= PieceBytes) file.WriteFailure = ScriptedFile.Failure("pwrite", StorageErrorKind.NoSpace, Errno.NoSpace);
    };
}
