using System.Buffers.Binary;
using System.Security.Cryptography;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Pools with their metadata on the device.</summary>
public sealed class PlacedPoolTests
{
    const string Path = "/device";

    static readonly PoolHost Here = new(new Guid(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "here");
    static readonly PoolHost There = new(new Guid(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "there");

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task A_pool_is_all_on_its_device()
    {
        await using (var pool = await CreateAsync(64L << 20))
        {
            Assert.Equal(64L << 20, pool.GetUsage().CapacityBytes);
            await pool.CreateVolumeAsync("v", new VolumeOptions { SizeBytes = 32 << 20, BlockSizeBytes = 4096 });
            await pool.OpenVolume("v")!.WriteAsync(Lba.Zero, Content(1, 32 << 20));
        }

        Assert.Equal([Path[1..]], disk.List("/"));
        await using (var pool = await OpenAsync(Here))
        {
            Assert.Equal(Content(1, 32 << 20), await ReadAsync(pool, 32 << 20));
            Assert.True((await pool.VerifyAsync(readData: true)).IsClean);
        }
    }

    [Fact]
    public async Task A_pool_is_moved_to_another_machine_by_export_and_import_under_another_name()
    {
        var pool = await CreateAsync(16 << 20);
        var id = pool.Id;
        await pool.CreateVolumeAsync("v", new VolumeOptions { SizeBytes = 1 << 20 });
        await pool.ExportAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pool.ExportAsync());

        var moved = await ImportAsync(There, newName: "other");
        Assert.Equal(("other", id), (moved.Name, moved.Id));
        await moved.ExportAsync();
        await using var back = await OpenAsync(Here);
        Assert.Equal("other", back.Name);
        Assert.NotNull(back.FindVolume("v"));
    }

    [Fact]
    public async Task A_pool_that_another_machine_has_is_refused_and_taken_by_force()
    {
        await CreateAsync(16 << 20); // It was never closed.
        var before = Digest();
        var refused = await Assert.ThrowsAsync<PoolInUseException>(() => ImportAsync(There));
        Assert.Equal((Here, "main"), (refused.Host, refused.Pool));
        Assert.Contains("here", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Digest());
        await (await OpenAsync(Here)).DisposeAsync(); // Its own machine goes on after a crash, and closes it.
        await (await OpenAsync(There)).DisposeAsync();

        await OpenAsync(Here);
        var forced = await ImportAsync(There, isForced: true);
        Assert.Equal(There.Id, (await Assert.ThrowsAsync<PoolInUseException>(() => OpenAsync(Here))).Host.Id);
        await forced.ExportAsync();
        await (await OpenAsync(Here)).DisposeAsync();
    }

    [Fact]
    public async Task A_pool_grows_with_its_metadata()
    {
        var pool = await CreateAsync(16 << 20);
        await pool.CreateVolumeAsync("v", new VolumeOptions { SizeBytes = 256 << 20, BlockSizeBytes = 4096 });
        var volume = pool.OpenVolume("v")!;
        await volume.WriteAsync(Lba.Zero, Content(1, 16 << 20));
        Assert.Equal((16 << 20, 16 << 20), (pool.GetUsage().CapacityBytes, pool.GetUsage().AllocatedBytes));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await volume.WriteAsync(new Lba((16 << 20) / 4096), Content(2, 1 << 20)));
        await pool.GrowAsync(40 << 20);
        await volume.WriteAsync(new Lba((16 << 20) / 4096), Content(2, 24 << 20));
        await pool.GrowAsync(41 << 20);
        await volume.WriteAsync(new Lba((40 << 20) / 4096), Content(3, 1 << 20));
        // One request over all the pieces.
        byte[] expected = [.. Content(1, 16 << 20), .. Content(2, 24 << 20), .. Content(3, 1 << 20)];
        Assert.Equal(expected, await ReadAsync(pool, expected.Length));
        await pool.DisposeAsync();

        await using var again = await OpenAsync(Here);
        Assert.Equal(41 << 20, again.GetUsage().CapacityBytes);
        Assert.Equal(expected, await ReadAsync(again, expected.Length));
        Assert.True((await again.VerifyAsync(readData: true)).IsClean);
    }

    [Fact]
    public async Task What_is_no_such_pool_is_refused_and_left_alone()
    {
        await (await CreateAsync(16 << 20)).DisposeAsync();
        var device = FileDevice.Open(disk, Path);
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await StoragePool.FormatAsync("again", device, Options(Here)));
        await Assert.ThrowsAsync<VolumeNameException>(() => ImportAsync(There, newName: "no name"));
        await using var small = FileDevice.Create(disk, "/small", 1 << 20);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await StoragePool.FormatAsync("small", small, Options(Here)));
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await StoragePool.OpenAsync(small, Options(Here)));
        await using (var pool = await TestPool.CreateAsync(disk: disk))
        {
        }

        await using var beside = TestPool.OpenDevice(disk);
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await StoragePool.OpenAsync(beside, Options(Here)));
        using (var store = TestPool.OpenStore(disk))
            await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await StoragePool.OpenAsync(device, store, Options(Here)));
        await device.DisposeAsync();
    }

    [Fact]
    public async Task Formatting_that_is_cut_off_anywhere_can_be_repeated()
    {
        var result = await CrashExplorer.ExploreAsync(
            async below =>
            {
                var device = FileDevice.Create(below, Path, 6 << 20);
                below.RestartTrace();
                await StoragePool.FormatAsync("main", device, Options(Here) with { MetadataChunks = 64 });
                below.Mark(1);
            },
            async state =>
            {
                var options = Options(Here) with { MetadataChunks = 64 };
                var device = FileDevice.Open(state.Disk, Path);
                var isFormatted = true;
                try
                {
                    await StoragePool.FormatAsync("main", device, options);
                }
                catch (UnsupportedFormatException)
                {
                    isFormatted = false; // It was ready.
                }

                state.RecoveryDone();
                if (state.Marks.Count > 0 && isFormatted) throw new InvalidOperationException("a pool that was ready was formatted again");
                await (await StoragePool.OpenAsync(device, options)).DisposeAsync();
            },
            new CrashExplorerOptions { StateBudget = 400, NestedOneIn = 20, NestedBudget = 3, KilledOneIn = 5 });
        Assert.True(result.States > 100, $"only {result}");
    }

    [Fact]
    public void Golden_bytes_of_the_superblock()
    {
        var placement = new PoolPlacement(
            0x0807060504030201, true, Here, DateTimeOffset.FromUnixTimeMilliseconds(0x0102030405), [new(1, 2), new(3, 4)]);
        var superblock = new Superblock(Guid.Empty, "main", 8, DateTimeOffset.UnixEpoch) { Placement = placement };
        var bytes = new byte[Superblock.SizeBytes];
        superblock.Write(bytes);
        Assert.Equal("4153484C504F4F4C" + "02000000", Convert.ToHexString(bytes, 0, 12));
        Assert.Equal(
            "0102030405060708" + "01000000" + "02000000" + "00000001000000000000000000000000" + "0504030201000000" + "04" + "68657265",
            Convert.ToHexString(bytes, 128, 45));
        Assert.Equal(
            "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000" + "00000000",
            Convert.ToHexString(bytes, 232, 36));
        var read = Superblock.Read(bytes, "it", 0);
        Assert.Equal(placement.Segments, read.Placement!.Segments);
        Assert.Equal(placement with { Segments = [] }, read.Placement with { Segments = [] });
        Assert.Throws<CorruptDataException>(() => ReadWith(12 + 128, 0));
        Assert.Throws<CorruptDataException>(() => ReadWith(12 + 128, 241));
        Assert.Throws<CorruptDataException>(() => ReadWith(8 + 128, 2));
        Assert.Throws<CorruptDataException>(() => ReadWith(40 + 128, 64));
        Assert.Throws<CorruptDataException>(() => ReadWith(232 + 7, 0x7F));

        void ReadWith(int offset, byte value)
        {
            var changed = (byte[])bytes.Clone();
            changed[offset] = value;
            BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(4092), Crc32C.Compute(changed.AsSpan(0, 4092)));
            Superblock.Read(changed, "it", 0);
        }
    }

    [Fact]
    public async Task A_device_that_is_cut_off_is_told()
    {
        await (await CreateAsync(16 << 20)).DisposeAsync();
        using (var file = disk.Open(Path, FileOpenMode.Existing)) file.SetLength(file.LengthBytes - (1 << 20));
        var device = FileDevice.Open(disk, Path);
        Assert.Contains(
            "cut off",
            (await Assert.ThrowsAsync<CorruptDataException>(async () => await StoragePool.OpenAsync(device, Options(Here)))).Message,
            StringComparison.Ordinal);
        await device.DisposeAsync();
    }

    async Task<StoragePool> CreateAsync(long capacityBytes)
    {
        var device = FileDevice.Create(disk, Path, StoragePool.PlacedDeviceBytesFor(capacityBytes));
        await StoragePool.FormatAsync("main", device, Options(Here));
        return await StoragePool.OpenAsync(device, Options(Here));
    }

    Task<StoragePool> OpenAsync(PoolHost host) => ImportAsync(host);

    async Task<StoragePool> ImportAsync(PoolHost host, string? newName = null, bool isForced = false)
    {
        var device = FileDevice.Open(disk, Path);
        try
        {
            return await StoragePool.ImportAsync(device, Options(host), newName, isForced);
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    static PoolOptions Options(PoolHost host) => TestPool.DefaultOptions() with { Entropy = SystemEntropy.Instance, Host = host };

    static async Task<byte[]> ReadAsync(StoragePool pool, int length)
    {
        var bytes = new byte[length];
        await pool.OpenVolume("v")!.ReadAsync(Lba.Zero, bytes);
        return bytes;
    }

    static byte[] Content(ulong seed, int length) => new SeededRandom(seed).Bytes(length);

    string Digest()
    {
        using var file = disk.Open(Path, FileOpenMode.ReadOnly);
        return Convert.ToHexString(SHA256.HashData(file.ReadWhole()));
    }
}
