using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests;

public sealed class VirtualDeviceTests
{
    [Fact]
    public async Task A_device_in_memory_is_one_line_away()
    {
        await using var disk = VirtualDevice.InMemory();
        Assert.Equal(8 << 20, disk.SizeBytes);
        await disk.WriteAsync(5000, "hello"u8.ToArray());
        var text = new byte[5];
        await disk.ReadAsync(5000, text);
        Assert.Equal("hello"u8.ToArray(), text);
    }

    [Fact]
    public async Task A_device_in_a_file_is_created_when_missing_and_there_again_later()
    {
        using var directory = new TemporaryDirectory();
        await using (var disk = VirtualDevice.OpenFile(directory["disk.ashlar"]))
        {
            Assert.Equal(8 << 20, disk.SizeBytes);
            await disk.WriteAsync(5000, "hello"u8.ToArray());
        }
        await using var again = VirtualDevice.OpenFile(directory["disk.ashlar"]);
        var text = new byte[5];
        await again.ReadAsync(5000, text);
        Assert.Equal("hello"u8.ToArray(), text);
        Assert.Equal(BlockState.Used, ((DeviceFile)again.Device).GetState(new Lba(1)));
    }

    [Fact]
    public async Task Size_and_block_size_are_as_asked_for()
    {
        using var directory = new TemporaryDirectory();
        await using var disk = VirtualDevice.CreateFile(directory["disk.ashlar"], 1 << 20, 512);
        Assert.Equal(new BlockGeometry(512, 2048, 512), disk.Device.Geometry);
        Assert.Throws<StorageException>(() => VirtualDevice.CreateFile(directory["disk.ashlar"], 1 << 20));
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(-4096, 4096)]
    [InlineData(4095, 4096)]
    [InlineData(8192, 1024)]
    public void A_size_that_no_device_can_have_is_refused(long sizeBytes, int blockSizeBytes) =>
        Assert.ThrowsAny<ArgumentException>(() => VirtualDevice.InMemory(sizeBytes, blockSizeBytes));
}
