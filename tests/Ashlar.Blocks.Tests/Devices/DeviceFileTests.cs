using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class DeviceFileTests
{
    const string DevicePath = "/disk";
    const int BlockSize = 4096;

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task Data_states_and_identity_are_there_again_after_reopening()
    {
        Guid id;
        await using (var device = Create())
        {
            id = device.Id;
            await device.WriteAsync(new Lba(10), Random(1, 3));
            await device.TrimAsync(new Lba(11), 1);
            await device.MarkBadAsync(new Lba(20));
        }
        await using var reopened = Open();
        Assert.Equal(id, reopened.Id);
        Assert.Equal(new BlockStateCounts(2044, 2, 1, 1), reopened.CountStates());
        var data = Random(1, 3);
        data.AsSpan(BlockSize, BlockSize).Clear();
        Assert.Equal(data, await Read(reopened, 10, 3));
        await Assert.ThrowsAsync<BadBlockException>(async () => await Read(reopened, 20, 1));
    }

    [Fact]
    public async Task What_was_flushed_is_there_even_if_the_device_was_never_closed()
    {
        var device = Create();
        await device.WriteAsync(new Lba(10), Random(2, 1));
        await device.FlushAsync();
        var copy = CopyOfDisk(); // As another machine would find it.
        await using var reopened = DeviceFile.Open(copy, DevicePath);
        Assert.Equal(Random(2, 1), await Read(reopened, 10, 1));
    }

    [Fact]
    public async Task A_bad_block_is_bad_as_soon_as_the_call_returns_and_blank_as_soon_as_it_is_replaced()
    {
        var device = Create();
        await device.WriteAsync(new Lba(10), Random(2, 1));
        await device.MarkBadAsync(new Lba(10));
        await using (var reopened = DeviceFile.Open(CopyOfDisk(), DevicePath))
            Assert.Equal(BlockState.Bad, reopened.GetState(new Lba(10)));
        await device.ReplaceBlockAsync(new Lba(10));
        await using (var reopened = DeviceFile.Open(CopyOfDisk(), DevicePath))
            Assert.Equal(new byte[BlockSize], await Read(reopened, 10, 1));
        await device.DisposeAsync();
    }

    [Fact]
    public async Task Counters_cover_the_whole_life_of_the_device()
    {
        await using (var device = Create())
        {
            await device.WriteAsync(Lba.Zero, Random(3, 2));
            await device.TrimAsync(Lba.Zero, 1);
            await Assert.ThrowsAsync<BlockRangeException>(async () => await Read(device, 2048, 1));
        }
        await using (var device = Open())
        {
            await Read(device, 0, 4);
            Assert.Equal(new DeviceStatistics(1, 1, 1, 0, 1, 4 * BlockSize, 2 * BlockSize), device.GetLifetimeStatistics());
            Assert.Equal(new DeviceStatistics(1, 0, 0, 0, 0, 4 * BlockSize, 0), device.GetStatistics());
        }
        await using var again = Open();
        Assert.Equal(1, again.GetLifetimeStatistics().Reads);
    }

    [Fact]
    public async Task A_device_is_used_by_one_owner_at_a_time()
    {
        var device = Create();
        Assert.Throws<LockedException>(() => Open());
        Assert.Throws<LockedException>(() => DeviceFile.Open(disk, DevicePath, isReadOnly: true));
        await device.DisposeAsync();
        await Open().DisposeAsync();
    }

    [Fact]
    public async Task A_device_is_used_by_one_owner_whatever_it_is_called()
    {
        using var directory = new TemporaryDirectory();
        await using var device = DeviceFile.Create(FileSystems.Real, directory["device"], new SeededEntropy(1), 64, BlockSize);
        File.CreateSymbolicLink(directory["link"], directory["device"]);
        Assert.Throws<LockedException>(() => DeviceFile.Open(FileSystems.Real, directory["link"]));
    }

    [Fact]
    public async Task Creating_never_overwrites()
    {
        await Create().DisposeAsync();
        var error = Assert.Throws<StorageException>(() => Create());
        Assert.Equal(StorageErrorKind.AlreadyExists, error.Kind);
    }

    [Fact]
    public void Opening_a_missing_file_fails_and_leaves_nothing_behind()
    {
        Assert.Throws<StorageException>(() => Open());
        Assert.Empty(disk.List("/"));
    }

    [Fact]
    public async Task A_read_only_device_can_be_read_and_its_file_stays_as_it_is()
    {
        await using (var device = Create()) await device.WriteAsync(new Lba(1), Random(4, 1));
        var before = Content(disk);
        await using (var device = DeviceFile.Open(disk, DevicePath, isReadOnly: true))
        {
            Assert.Equal(Random(4, 1), await Read(device, 1, 1));
            await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await device.WriteAsync(new Lba(1), Random(4, 1)));
            await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await device.TrimAsync(new Lba(1), 1));
            await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await device.MarkBadAsync(new Lba(1)));
            await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await device.ReplaceBlockAsync(new Lba(1)));
            await device.FlushAsync();
        }
        Assert.Equal(before, Content(disk));
    }

    [Fact]
    public async Task Blocks_that_were_never_written_take_no_space()
    {
        await using var device = DeviceFile.Create(disk, DevicePath, new SeededEntropy(1), 1 << 20);
        Assert.Equal(4L << 30, device.Geometry.SizeBytes);
        Assert.InRange(device.AllocatedBytes, 1, 1 << 20);
    }

    [Fact]
    public async Task Overwriting_used_blocks_costs_one_sync_per_flush()
    {
        await using var device = Create();
        await device.WriteAsync(Lba.Zero, Random(5, 1));
        await device.FlushAsync();
        var before = Content(disk).AsSpan(0, 4096).ToArray();
        await device.WriteAsync(Lba.Zero, Random(6, 1));
        await device.FlushAsync();
        Assert.Equal(before, Content(disk).AsSpan(0, 4096).ToArray()); // Header, counters and states were left alone.
    }

    DeviceFile Create() => DeviceFile.Create(disk, DevicePath, new SeededEntropy(7));

    DeviceFile Open() => DeviceFile.Open(disk, DevicePath);

    SimulatedFileSystem CopyOfDisk()
    {
        var copy = new SimulatedFileSystem(isRecording: false);
        using var file = copy.Open(DevicePath, FileOpenMode.CreateNew);
        file.Write(Content(disk), 0);
        return copy;
    }

    static byte[] Content(SimulatedFileSystem disk)
    {
        using var file = disk.Open(DevicePath, FileOpenMode.ReadOnly);
        var content = new byte[file.LengthBytes];
        file.Read(content, 0);
        return content;
    }

    static byte[] Random(ulong seed, int blocks) => new SeededRandom(seed).Bytes(blocks * BlockSize);

    static async Task<byte[]> Read(DeviceFile device, long block, int count)
    {
        var buffer = new byte[count * BlockSize];
        buffer.AsSpan().Fill(0xEE);
        await device.ReadAsync(new Lba(block), buffer);
        return buffer;
    }
}
