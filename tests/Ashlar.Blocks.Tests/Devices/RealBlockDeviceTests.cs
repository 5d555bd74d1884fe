using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>A block device of the machine as a device: a loop device over a file.</summary>
public sealed class RealBlockDeviceTests
{
    const int Size = 8 << 20, Busy = 16; // EBUSY

    [PowerCutFact("losetup")]
    public async Task A_block_device_has_its_space_and_its_length_and_one_user()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllBytesAsync(directory["image"], new byte[Size]);
        var path = ExternalTool.Run("losetup", "--find", "--show", directory["image"]).MustSucceed().Trim();
        try
        {
            await using var device = FileDevice.Open(FileSystems.Real, path);
            Assert.Equal(Size, device.Geometry.SizeBytes);
            Assert.Null(device.FreeSpaceBelowBytes);
            Assert.Null(device.SpaceBelowIdentity);
            Assert.Equal(Busy, Assert.Throws<StorageException>(() => FileDevice.Open(FileSystems.Real, path)).Errno);

            // Another node of it is another name, no other device.
            var numbers = ExternalTool.Run("stat", "--format=%Hr %Lr", path).MustSucceed().Trim().Split(' ');
            ExternalTool.Run("mknod", directory["node"], "b", numbers[0], numbers[1]).MustSucceed();
            Assert.Equal(FileSystems.Real.GetFileIdentity(path), FileSystems.Real.GetFileIdentity(directory["node"]));
            Assert.NotEqual(FileSystems.Real.GetFileIdentity(path), FileSystems.Real.GetFileIdentity("/dev/loop-control"));
            Assert.Equal(Busy, Assert.Throws<StorageException>(() => FileDevice.Open(FileSystems.Real, directory["node"])).Errno);
            Assert.True(device.IsInPlace);
            await using (var again = FileDevice.Open(FileSystems.Real, directory["node"], isReadOnly: true))
            {
                File.Delete(directory["node"]);
                Assert.False(again.IsInPlace);
                ExternalTool.Run("mknod", directory["node"], "b", numbers[0], numbers[1]).MustSucceed();
                Assert.True(again.IsInPlace);
                File.Delete(directory["node"]);
                await File.WriteAllTextAsync(directory["node"], "something else");
                Assert.False(again.IsInPlace);
            }

            var content = new SeededRandom(3).Bytes(4096);
            await device.WriteAsync(new Lba(5), content);
            await device.ReserveAsync(Lba.Zero, 16);
            await device.WriteZeroesAsync(Lba.Zero, 4, ZeroOptions.KeepAllocated);
            await device.TrimAsync(new Lba(6), 4);
            await device.FlushAsync();
            var found = new byte[4096];
            await device.ReadAsync(new Lba(5), found);
            Assert.Equal(content, found);

            await device.GrowAsync(Size / 4096);
            var full = await Assert.ThrowsAsync<DeviceFullException>(async () => await device.GrowAsync((Size / 4096) + 1));
            Assert.Contains($"the block device has {Size} bytes", full.Message, StringComparison.Ordinal);
            Assert.Equal(Size, new FileInfo(directory["image"]).Length);
        }
        finally
        {
            ExternalTool.Run("losetup", "--detach", path);
        }
    }
}
