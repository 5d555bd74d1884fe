using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class DeviceFileFormatTests
{
    const string DevicePath = "/disk";
    const int DataOffset = 4096;

    // Two pages of states, the second of 16 blocks only; a data area that starts at 4096.
    static readonly DeviceFileFormat.Header Header =
        new(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 512, BlockStateMap.BlocksPerPage + 16);

    [Fact]
    public void The_bytes_of_the_header_are_these()
    {
        var sector = UsedSector();
        DeviceFileFormat.WriteHeader(sector, Header);
        Assert.Equal(
            "4153484C52444556" + // "ASHLRDEV"
            "01000000" + "FE3B3B40" + // Version, checksum.
            "00112233445566778899AABBCCDDEEFF" + // Id.
            "00020000" + "00000000" + "D007000000000000" + // 512, 2000 blocks.
            "0010000000000000", // Data at 4096.
            Convert.ToHexString(sector.AsSpan(0, 56)));
        Assert.Equal(new byte[512 - 56], sector[56..]);
        Assert.Equal(Header, DeviceFileFormat.ReadHeader(DevicePath, sector));
    }

    [Fact]
    public void The_bytes_of_the_counters_are_these()
    {
        var sector = UsedSector();
        var counters = new DeviceStatistics(1, 2, 3, 4, 5, 6, 0x0123456789);
        DeviceFileFormat.WriteCounters(sector, Header.Id, counters);
        Assert.Equal(
            "2EF1DB02" + "00000000" + "0100000000000000" + "0200000000000000" + "0300000000000000" +
            "0400000000000000" + "0500000000000000" + "0600000000000000" + "8967452301000000",
            Convert.ToHexString(sector.AsSpan(0, 64)));
        Assert.Equal(new byte[512 - 64], sector[64..]);
        Assert.Equal(counters, DeviceFileFormat.ReadCounters(DevicePath, sector, Header.Id));
    }

    [Fact]
    public void The_bytes_of_a_page_of_states_are_these()
    {
        var map = new BlockStateMap(Header.BlockCount);
        map.MarkUsed(1984, 3); // The first three blocks of page 1: used,
        map.MarkTrimmed(1985, 1); // trimmed,
        map.MarkBad(1986, 1); // bad.
        var sector = UsedSector();
        DeviceFileFormat.WritePage(sector, Header.Id, 1, map.Page(1));
        Assert.Equal("CF273BA3" + "01000000" + "0000000000000000" + "3900000000000000", Convert.ToHexString(sector.AsSpan(0, 24)));
        Assert.Equal(new byte[512 - 24], sector[24..]);

        var words = new ulong[BlockStateMap.WordsPerPage];
        DeviceFileFormat.ReadPage(DevicePath, sector, Header, 1, words);
        Assert.Equal(map.Page(1).ToArray(), words);
    }

    // What a buffer held before does not get to the disk.
    static byte[] UsedSector() => [.. Enumerable.Repeat((byte)0xA5, 512)];

    [Fact]
    public async Task Every_flipped_bit_before_the_data_is_found_and_named()
    {
        var intact = await DeviceBytes();
        for (var offset = 0; offset < DataOffset; offset++)
        {
            var flip = (byte)(1 << offset % 8);
            intact[offset] ^= flip;
            var error = Assert.ThrowsAny<AshlarException>(() => Open(intact));
            intact[offset] ^= flip;
            Assert.Contains(DevicePath, error.Message, StringComparison.Ordinal);
            if (error is CorruptDataException corrupt) Assert.InRange(corrupt.OffsetBytes, offset / 512 * 512, offset);
            else Assert.InRange(offset, 0, 7); // The magic number: not a device at all.
        }
    }

    [Fact]
    public async Task Every_truncated_file_is_found()
    {
        var intact = await DeviceBytes();
        for (var length = 0; length < intact.Length; length += length < 2048 ? 64 : 4096)
        {
            var error = Assert.Throws<CorruptDataException>(() => Open(intact[..length]));
            Assert.Equal(length, error.OffsetBytes);
        }
        Assert.Equal(intact.Length - 1, Assert.Throws<CorruptDataException>(() => Open(intact[..^1])).OffsetBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(4096)]
    public async Task An_extended_file_is_found(int more)
    {
        var intact = await DeviceBytes();
        var error = Assert.Throws<CorruptDataException>(() => Open([.. intact, .. new byte[more]]));
        Assert.Equal(intact.Length, error.OffsetBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(uint.MaxValue)]
    public async Task A_version_unknown_here_is_refused_and_named(uint version)
    {
        var bytes = await DeviceBytes();
        BitConverter.TryWriteBytes(bytes.AsSpan(8), version);
        Reseal(bytes);
        var error = Assert.Throws<UnsupportedFormatException>(() => Open(bytes));
        Assert.Contains($"version {version};", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(32, 1024)] // Block size.
    [InlineData(36, 1)] // Reserved.
    [InlineData(40, 0)] // Block count.
    [InlineData(44, int.MaxValue)] // Block count: absurd, and must not be allocated by.
    [InlineData(44, int.MinValue)] // Block count: negative.
    [InlineData(48, 8192)] // Data offset.
    [InlineData(60, 1)] // Reserved.
    public async Task A_field_that_cannot_be_is_refused_even_under_a_good_checksum(int offset, int value)
    {
        var bytes = await DeviceBytes();
        BitConverter.TryWriteBytes(bytes.AsSpan(offset), value);
        Reseal(bytes);
        var error = Assert.Throws<CorruptDataException>(() => Open(bytes));
        Assert.InRange(error.OffsetBytes, offset / 8 * 8, offset);
    }

    [Fact]
    public async Task A_page_in_the_place_of_another_is_found()
    {
        var bytes = await DeviceBytes();
        var first = bytes[1024..1536];
        bytes.AsSpan(1536, 512).CopyTo(bytes.AsSpan(1024));
        first.CopyTo(bytes, 1536);
        var error = Assert.Throws<CorruptDataException>(() => Open(bytes));
        Assert.Contains("page 1 in the place of page 0", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(1024)]
    public async Task A_sector_of_another_device_is_found(int offset)
    {
        var bytes = await DeviceBytes();
        (await DeviceBytes(seed: 2)).AsSpan(offset, 512).CopyTo(bytes.AsSpan(offset));
        Assert.Equal(offset, Assert.Throws<CorruptDataException>(() => Open(bytes)).OffsetBytes);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(100)]
    public void Another_products_file_is_refused(int length)
    {
        var bytes = new SeededRandom(1).Bytes(length);
        Assert.Contains(
            "not an Ashlar device file", Assert.Throws<UnsupportedFormatException>(() => Open(bytes)).Message, StringComparison.Ordinal);
    }

    static async Task<byte[]> DeviceBytes(ulong seed = 1)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using (var device = DeviceFile.Create(disk, DevicePath, new SeededEntropy(seed), Header.BlockCount, 512))
        {
            await device.WriteAsync(new Lba(1980), new SeededRandom(1).Bytes(512 * 10));
            await device.MarkBadAsync(new Lba(3));
        }
        using var file = disk.Open(DevicePath, FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return bytes;
    }

    static void Open(byte[] bytes)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var file = disk.Open(DevicePath, FileOpenMode.CreateNew))
        {
            file.Write(bytes.AsSpan(0, Math.Min(bytes.Length, DataOffset)), 0); // The data is not looked at.
            file.SetLength(bytes.Length);
        }
        DeviceFile.Open(disk, DevicePath).DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    static void Reseal(byte[] bytes) => BitConverter.TryWriteBytes(
        bytes.AsSpan(12),
        Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, 12)), bytes.AsSpan(16, 512 - 16)));
}
