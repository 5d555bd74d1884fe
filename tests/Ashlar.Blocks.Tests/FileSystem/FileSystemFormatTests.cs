using System.Buffers.Binary;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>What lies on the device, byte by byte, and what is refused of it.</summary>
public sealed class FileSystemFormatTests
{
    const int AreaBytes = 64 << 10, HeaderBytes = 2 * HeaderFormat.SizeBytes;

    [Fact]
    public void Golden_bytes()
    {
        var device = TestDisk.Format();
        var disk = TestDisk.Open(device);
        disk.CreateDirectory("/d");
        BlockFileSystemTests.Write(disk, "/d/name", [0xAB, 0xCD], isSynced: true);

        var header = ReadRegion(device, 0, HeaderFormat.SizeBytes);
        Assert.Equal("4153484C46535953" + "01000000" + "00200000", Convert.ToHexString(header, 0, 16));
        Assert.Equal("0100000000000000", Convert.ToHexString(header, 32, 8)); // Generation
        Assert.Equal(
            "0100000000000000" + "0800000000000000" + "0900000000000000" + "0800000000000000", Convert.ToHexString(header, 40, 32));
        Assert.Equal("01000000" + "00000000" + "0010000000000000" + "0000050000000000", Convert.ToHexString(header, 72, 24));
        Assert.Equal(Crc32C.Compute(header.AsSpan(0, 4092)), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4092)));
        Assert.Equal(header, ReadRegion(device, HeaderFormat.SizeBytes, HeaderFormat.SizeBytes));

        var area = ReadRegion(device, HeaderBytes, AreaBytes);
        Assert.Equal("4153484C46534152" + "01000000" + "00000000", Convert.ToHexString(area, 0, 16));
        Assert.Equal(header[16..32], area[16..32]);
        Assert.Equal("0100000000000000", Convert.ToHexString(area, 32, 8));
        Assert.Equal("0000000000000000" + "0000000000000000" + "00000000", Convert.ToHexString(area, 48, 20)); // An empty checkpoint.

        // The file's sync, then the names.
        var record = area.AsSpan(4096, 4096);
        Assert.Equal("41535458" + "37000000", Convert.ToHexString(record[..8]));
        Assert.Equal(area.AsSpan(40, 8), record[8..16]);
        Assert.Equal(
            "0100000000000000" + "0100000000000000" + "0000000000000000", Convert.ToHexString(record[16..40]));
        Assert.Equal(area.AsSpan(4092, 4), record[40..44]);
        Assert.Equal(
            "01" + "0300000000000000" + "00"
                + "04" + "0300000000000000" + "0200000000000000" + "01000000"
                + "0000000000000000" + "0100000000000000" + "1100000000000000",
            Convert.ToHexString(record.Slice(64, 0x37)));
        record = area.AsSpan(8192, 4096);
        Assert.Equal(
            "01" + "0200000000000000" + "01"
                + "03" + "0100000000000000" + "0200000000000000" + "0100" + "64"
                + "03" + "0200000000000000" + "0300000000000000" + "0400" + "6E616D65",
            Convert.ToHexString(record.Slice(64, BinaryPrimitives.ReadInt32LittleEndian(record[4..]))));
        Assert.Equal("ABCD", Convert.ToHexString(ReadRegion(device, 0x11 * TestDisk.UnitBytes, 2)));
    }

    [Fact]
    public void A_damaged_copy_of_the_header_is_written_anew_and_two_are_an_error()
    {
        var device = TestDisk.Format();
        Flip(device, 100);
        TestDisk.Open(device).Dispose();
        Assert.Equal(ReadRegion(device, 0, HeaderFormat.SizeBytes), ReadRegion(device, HeaderFormat.SizeBytes, HeaderFormat.SizeBytes));
        Flip(device, 100);
        Flip(device, HeaderFormat.SizeBytes + 100);
        Assert.Throws<CorruptDataException>(() => TestDisk.Open(device));
    }

    [Fact]
    public void No_file_system_and_later_versions_are_told_from_damage()
    {
        using var blank = new ScopedDevice(new MemoryDevice());
        Assert.Throws<UnsupportedFormatException>(() => BlockFileSystem.Open(blank.Device, 0));
        Assert.Throws<UnsupportedFormatException>(() => BlockFileSystem.Open(blank.Device, -1));
        Assert.Throws<UnsupportedFormatException>(() => BlockFileSystem.Open(blank.Device, blank.Device.Geometry.SizeBytes));
        var device = TestDisk.Format();
        for (var copy = 0; copy < 2; copy++)
        {
            var header = ReadRegion(device, copy * HeaderFormat.SizeBytes, HeaderFormat.SizeBytes);
            header[8] = 2;
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4092), Crc32C.Compute(header.AsSpan(0, 4092)));
            WriteRegion(device, copy * HeaderFormat.SizeBytes, header);
        }

        Assert.Contains(
            "version 2", Assert.Throws<UnsupportedFormatException>(() => TestDisk.Open(device)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_was_durable_and_is_damaged_is_no_torn_end()
    {
        var device = TestDisk.Format();
        var disk = TestDisk.Open(device);
        for (var i = 0; i < 3; i++) BlockFileSystemTests.Write(disk, $"/{i}", [1], isSynced: true);
        Flip(device, HeaderBytes + 4096 + 70);
        Assert.Contains("record 1", Assert.Throws<CorruptDataException>(() => TestDisk.Open(device)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_checkpoint_is_not_passed_over_for_the_one_before_it()
    {
        var device = TestDisk.Format();
        var disk = TestDisk.Open(device);
        for (var i = 0; i < 10; i++) BlockFileSystemTests.Write(disk, $"/{i}", [1], isSynced: true);
        var second = ReadRegion(device, HeaderBytes + AreaBytes, 4096);
        Assert.Equal(2, second[32]); // The second area has the newer checkpoint.
        Flip(device, HeaderBytes + AreaBytes + 4096 + 3);
        Assert.Contains(
            "newest checkpoint", Assert.Throws<CorruptDataException>(() => TestDisk.Open(device)).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// With checksums that fit, so that what is behind them is looked at: typed errors, soon, or a file system that is sound.
    /// </summary>
    [Fact]
    public void Metadata_of_any_content_are_refused_or_sound()
    {
        var seed = TestSeeds.First(nameof(FileSystemFormatTests));
        var random = SeededRandom.For(seed, "metadata of any content");
        var device = TestDisk.Format();
        var disk = TestDisk.Open(device);
        disk.CreateDirectory("/d");
        for (var i = 0; i < 4; i++) BlockFileSystemTests.Write(disk, $"/d/{i}", new byte[20_000], isSynced: true);
        var original = ReadRegion(device, 0, (int)TestDisk.RegionBytes);
        var (opened, refused) = (0, 0);
        for (var input = 0; input < TestTier.Choose(3000, 100_000); input++)
        {
            var bytes = (byte[])original.Clone();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var block = random.Pick([0, 1, 2, 3, 4, 5, 6, 7, 8]) * 4096;
                var at = block + random.Next(block < HeaderBytes + 4096 ? 112 : 200);
                bytes[at] = random.OneIn(2) ? (byte)(bytes[at] ^ (1 << random.Next(8))) : (byte)random.Next(256);
            }

            Seal(bytes);
            WriteRegion(device, 0, bytes);
            try
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var found = TestDisk.Open(device);
                found.Verify();
                foreach (var name in found.List("/")) found.FileExists("/" + name);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
                opened++;
            }
            catch (Exception e) when (e is CorruptDataException or UnsupportedFormatException)
            {
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, input {input}", e);
            }
        }

        Assert.True(opened > 100 && refused > 1000, $"{opened} opened, {refused} refused");
    }

    static void Seal(Span<byte> region)
    {
        for (var copy = 0; copy < 2; copy++) SealBlock(region.Slice(copy * 4096, 4096));
        var area = region.Slice(HeaderBytes, AreaBytes);
        SealBlock(area[..4096]);
        var previous = BinaryPrimitives.ReadUInt32LittleEndian(area[4092..]);
        for (var at = 4096; at < AreaBytes; at += 4096)
        {
            var record = area[at..];
            var payload = BinaryPrimitives.ReadInt32LittleEndian(record[4..]);
            if (payload < 0 || payload > record.Length - 64) break;
            BinaryPrimitives.WriteUInt32LittleEndian(record[40..], previous);
            previous = Crc32C.Append(Crc32C.Compute(record[..60]), record.Slice(64, payload));
            BinaryPrimitives.WriteUInt32LittleEndian(record[60..], previous);
        }

        static void SealBlock(Span<byte> block) =>
            BinaryPrimitives.WriteUInt32LittleEndian(block[4092..], Crc32C.Compute(block[..4092]));
    }

    static byte[] ReadRegion(MemoryDevice device, long offset, int length)
    {
        var bytes = new byte[(length + 511) / 512 * 512];
        device.ReadAsync(new Lba((TestDisk.OffsetBytes + offset) / 512), bytes).AsTask().GetAwaiter().GetResult();
        return bytes[..length];
    }

    static void WriteRegion(MemoryDevice device, long offset, byte[] bytes) =>
        device.WriteAsync(new Lba((TestDisk.OffsetBytes + offset) / 512), bytes).AsTask().GetAwaiter().GetResult();

    static void Flip(MemoryDevice device, int offset)
    {
        var sector = ReadRegion(device, offset / 512 * 512, 512);
        sector[offset % 512] ^= 0x10;
        WriteRegion(device, offset / 512 * 512, sector);
    }

    sealed class ScopedDevice(MemoryDevice device) : IDisposable
    {
        public MemoryDevice Device => device;

        public void Dispose() => device.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
