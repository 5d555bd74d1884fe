using System.Text;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class DeviceSignaturesTests
{
    const int Size = 4 << 20;

    [Fact]
    public async Task A_blank_device_holds_nothing_and_one_with_anything_at_its_front_something()
    {
        await using var device = new MemoryDevice(Size / 4096);
        Assert.Null(await DeviceSignatures.FindAsync(device));
        await WriteAsync(device, 700_000, "x");
        Assert.Equal("data of a kind that is not known here", await DeviceSignatures.FindAsync(device));
    }

    [Theory]
    [InlineData(0, "XFSB", "a file system: xfs")]
    [InlineData(1080, "\u0053\u00EF", "a file system: ext2, ext3 or ext4")]
    [InlineData(0x10040, "_BHRfS_M", "a file system: btrfs")]
    [InlineData(4086, "SWAPSPACE2", "swap space")]
    [InlineData(512, "LABELONE", "a physical volume of LVM")]
    [InlineData(0, "ASHLPOOL", "a pool of Ashlar")]
    [InlineData(512, "EFI PART", "a partition table: GPT")]
    [InlineData(Size - 512, "EFI PART", "a partition table: GPT")]
    [InlineData(510, "\u0055\u00AA", "a partition table or a boot sector: MBR")]
    [InlineData(4096, "\u00FC\u004E\u002B\u00A9", "a member of a RAID set of Linux")]
    [InlineData(Size - 8192, "\u00FC\u004E\u002B\u00A9", "a member of a RAID set of Linux")]
    [InlineData(Size - 65536, "\u00FC\u004E\u002B\u00A9", "a member of a RAID set of Linux")]
    [InlineData((128 * 1024) + 4096, "\u000C\u00B1\u00BA\u0000\u0000\u0000\u0000\u0000", "a device of ZFS")]
    public async Task What_is_known_is_named_and_goes_when_it_is_erased(int offset, string bytes, string meaning)
    {
        await using var device = new MemoryDevice(Size / 512, 512);
        await WriteAsync(device, offset, bytes);
        Assert.Equal(meaning, await DeviceSignatures.FindAsync(device));
        await DeviceSignatures.EraseAsync(device);
        Assert.Null(await DeviceSignatures.FindAsync(device));
    }

    [Fact]
    public async Task A_device_smaller_than_an_edge_is_looked_at_as_a_whole()
    {
        await using var device = new MemoryDevice(4, 512);
        Assert.Null(await DeviceSignatures.FindAsync(device));
        await DeviceSignatures.EraseAsync(device);
        await WriteAsync(device, 510, "\u0055\u00AA");
        Assert.NotNull(await DeviceSignatures.FindAsync(device));
    }

    [Theory]
    [InlineData("mkfs.ext4", "-q", "a file system: ext2, ext3 or ext4")]
    [InlineData("mkswap", "-q", "swap space")]
    public async Task What_real_programs_make_is_known(string program, string option, string meaning)
    {
        if (ExternalTool.WhyNot([program]) is not null) return;
        using var directory = new TemporaryDirectory();
        await using (FileDevice.Create(FileSystems.Real, directory["disk"], 16 << 20))
        {
        }
        ExternalTool.Run(program, option, directory["disk"]);
        await using var device = FileDevice.Open(FileSystems.Real, directory["disk"]);
        Assert.Equal(meaning, await DeviceSignatures.FindAsync(device));
    }

    // A device in memory has no holes, and takes any range.
    static async Task WriteAsync(MemoryDevice device, int offset, string bytes)
    {
        var blockBytes = device.Geometry.BlockSizeBytes;
        var (first, end) = (offset / blockBytes, (offset + bytes.Length + blockBytes - 1) / blockBytes);
        var content = new byte[(end - first) * blockBytes];
        await device.ReadAsync(new Lba(first), content);
        Encoding.Latin1.GetBytes(bytes).CopyTo(content, offset - (first * blockBytes));
        await device.WriteAsync(new Lba(first), content);
    }
}
