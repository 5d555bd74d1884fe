using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>What a device takes from the file system below, keeps, and gives back.</summary>
public sealed class FileDeviceSpaceTests
{
    const int BlockSize = 4096;
    const int Blocks = 64;

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly FileDevice device;

    public FileDeviceSpaceTests() => device = FileDevice.Create(disk, "/disk", Blocks * BlockSize);

    [Fact]
    public async Task A_device_that_grows_has_zeros_at_its_end_and_keeps_the_rest()
    {
        await device.WriteAsync(new Lba(Blocks - 1), Filled(1, 1));
        await Assert.ThrowsAsync<BlockRangeException>(async () => await device.WriteAsync(new Lba(Blocks), Filled(2, 1)));
        await device.GrowAsync(Blocks + 8);
        Assert.Equal(Blocks + 8, device.Geometry.BlockCount);
        Assert.Equal(Filled(1, 1), await ReadAsync(Blocks - 1, 1));
        Assert.Equal(new byte[8 * BlockSize], await ReadAsync(Blocks, 8));
        await device.WriteAsync(new Lba(Blocks + 7), Filled(2, 1));
        Assert.Equal(Filled(2, 1), await ReadAsync(Blocks + 7, 1));
        await device.GrowAsync(Blocks); // It has at least so many.
        Assert.Equal(Blocks + 8, device.Geometry.BlockCount);
    }

    [Fact]
    public async Task What_grew_is_durable_also_where_an_earlier_process_lengthened_the_file()
    {
        var recorded = new SimulatedFileSystem();
        FileDevice.Create(recorded, "/disk", Blocks * BlockSize);
        using (var file = recorded.Open("/disk", FileOpenMode.Existing)) file.SetLength((Blocks + 8) * BlockSize); // And died.
        var found = FileDevice.Open(recorded, "/disk");
        await found.GrowAsync(Blocks + 8);
        using var after = recorded.LosePower(seed: 1).Open("/disk", FileOpenMode.ReadOnly);
        Assert.Equal((Blocks + 8) * BlockSize, after.LengthBytes);
    }

    [Fact]
    public async Task A_device_that_is_only_read_does_not_grow()
    {
        await using var reader = FileDevice.Open(disk, "/disk", isReadOnly: true);
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await reader.GrowAsync(Blocks + 1));
    }

    [Fact]
    public async Task Zeroing_that_keeps_the_space_never_lets_go_of_it()
    {
        var file = new ScriptedFile(8 * BlockSize);
        await using var scripted = new FileDevice(file);
        await scripted.WriteZeroesAsync(Lba.Zero, 4, ZeroOptions.KeepAllocated);
        Assert.Equal(["allocate", "zero"], file.SpaceCalls);
        file.SpaceCalls.Clear();
        await scripted.WriteZeroesAsync(Lba.Zero, 4);
        Assert.Equal(["punch"], file.SpaceCalls);
    }

    [Fact]
    public async Task Zeroing_that_keeps_the_space_needs_none_for_what_is_allocated()
    {
        await device.WriteAsync(Lba.Zero, Filled(1, 8));
        FillDisk();
        await device.WriteZeroesAsync(Lba.Zero, 8, ZeroOptions.KeepAllocated);
        Assert.Equal(new byte[8 * BlockSize], await ReadAsync(0, 8));
        await device.WriteAsync(Lba.Zero, Filled(2, 8));
        Assert.Equal(Filled(2, 8), await ReadAsync(0, 8));
    }

    [Fact]
    public async Task Zeroing_that_finds_no_space_to_keep_changes_nothing()
    {
        await device.WriteAsync(Lba.Zero, Filled(1, 8));
        FillDisk();
        await Assert.ThrowsAsync<DeviceFullException>(
            async () => await device.WriteZeroesAsync(Lba.Zero, 9, ZeroOptions.KeepAllocated));
        Assert.Equal(Filled(1, 8), await ReadAsync(0, 8));
        await device.WriteAsync(Lba.Zero, Filled(2, 8)); // What was allocated still is.
        Assert.Equal(1, device.GetStatistics().Failures);
    }

    [Fact]
    public async Task Where_a_range_cannot_be_zeroed_in_its_place_zeros_are_written_over_it()
    {
        var file = new ScriptedFile(8 * BlockSize)
        {
            ZeroRangeFailure = ScriptedFile.Failure("fallocate", StorageErrorKind.NotSupported, Errno.NotSupported),
        };
        await using var scripted = new FileDevice(file);
        await scripted.WriteAsync(Lba.Zero, Filled(1, 8));
        await Assert.ThrowsAsync<NotSupportedException>(async () =>
            await scripted.WriteZeroesAsync(Lba.Zero, 4, ZeroOptions.KeepAllocated | ZeroOptions.FastOnly));
        await scripted.WriteZeroesAsync(Lba.Zero, 4, ZeroOptions.KeepAllocated);
        Assert.DoesNotContain("punch", file.SpaceCalls);
        var buffer = new byte[8 * BlockSize];
        await scripted.ReadAsync(Lba.Zero, buffer);
        Assert.Equal([.. new byte[4 * BlockSize], .. Filled(1, 4)], buffer);
    }

    [Fact]
    public async Task A_medium_that_reserves_nothing_and_can_zero_has_its_space()
    {
        var file = new ScriptedFile(8 * BlockSize)
        {
            AllocateFailure = ScriptedFile.Failure("fallocate", StorageErrorKind.NotSupported, Errno.NotSupported),
        };
        await using var scripted = new FileDevice(file);
        await scripted.WriteAsync(Lba.Zero, Filled(1, 8));
        await scripted.WriteZeroesAsync(Lba.Zero, 8, ZeroOptions.KeepAllocated | ZeroOptions.FastOnly);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await scripted.ReserveAsync(Lba.Zero, 8));
    }

    [Fact]
    public async Task A_reserved_range_keeps_its_content_and_can_be_written_on_a_full_disk()
    {
        await device.WriteAsync(new Lba(2), Filled(1, 2));
        await device.ReserveAsync(Lba.Zero, 8);
        FillDisk();
        byte[] expected = [.. new byte[2 * BlockSize], .. Filled(1, 2), .. new byte[4 * BlockSize]];
        Assert.Equal(expected, await ReadAsync(0, 8));
        await device.WriteAsync(Lba.Zero, Filled(2, 8));
        Assert.Equal(Filled(2, 8), await ReadAsync(0, 8));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await device.WriteAsync(new Lba(8), Filled(3, 1)));
    }

    [Fact]
    public async Task A_reservation_that_does_not_fit_is_refused_and_all_content_stays()
    {
        await device.WriteAsync(Lba.Zero, Filled(1, 2));
        FillDisk(except: 4 * BlockSize);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await device.ReserveAsync(Lba.Zero, 8));
        Assert.Equal(Filled(1, 2), await ReadAsync(0, 2));
        await device.ReserveAsync(Lba.Zero, 6);
    }

    [Fact]
    public async Task A_reservation_survives_the_next_flush()
    {
        var file = new ScriptedFile(8 * BlockSize);
        await using var scripted = new FileDevice(file);
        await scripted.FlushAsync();
        await scripted.ReserveAsync(Lba.Zero, 8);
        await scripted.FlushAsync();
        Assert.Equal(2, file.Syncs);
    }

    [Fact]
    public async Task Reserving_checks_its_range_and_whether_the_device_is_writable()
    {
        await Assert.ThrowsAsync<BlockRangeException>(async () => await device.ReserveAsync(new Lba(Blocks - 1), 2));
        await device.ReserveAsync(new Lba(Blocks), 0);
        await device.DisposeAsync();
        await using var readOnly = FileDevice.Open(disk, "/disk", isReadOnly: true);
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await readOnly.ReserveAsync(Lba.Zero, 1));
    }

    [Fact]
    public async Task A_device_knows_how_much_the_file_system_has_left()
    {
        var before = device.FreeSpaceBelowBytes;
        Assert.Equal(disk.GetFreeSpaceBytes("/"), before);
        await device.ReserveAsync(Lba.Zero, 8);
        Assert.Equal(before - 8 * BlockSize, device.FreeSpaceBelowBytes);
        await using var elsewhere = new FileDevice(new ScriptedFile(BlockSize));
        Assert.Null(elsewhere.FreeSpaceBelowBytes);
    }

    [Fact]
    public async Task A_faulty_device_passes_reservations_on()
    {
        await using var faulty = new FaultyDevice(device, new SeededEntropy(1));
        var before = faulty.FreeSpaceBelowBytes;
        await faulty.ReserveAsync(Lba.Zero, 8);
        Assert.Equal(before - 8 * BlockSize, faulty.FreeSpaceBelowBytes);
        await using var plain = new FaultyDevice(new MemoryDevice(8), new SeededEntropy(1));
        Assert.Null(plain.FreeSpaceBelowBytes);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await plain.ReserveAsync(Lba.Zero, 8));
    }

    static byte[] Filled(byte value, int blocks) => Enumerable.Repeat(value, blocks * BlockSize).ToArray();

    void FillDisk(long except = 0) => disk.CapacityBytes -= disk.GetFreeSpaceBytes("/") - except;

    async Task<byte[]> ReadAsync(long block, int count)
    {
        var buffer = new byte[count * BlockSize];
        await device.ReadAsync(new Lba(block), buffer);
        return buffer;
    }
}
