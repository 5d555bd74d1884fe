using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>Devices put together: in which order, which of them, and what becomes of requests at their borders.</summary>
public sealed class ConcatDeviceTests
{
    const int BlockSize = 4096, Unit = 64 * 1024, Reserved = 128 * 1024;

    static readonly Guid Set = new("11111111-2222-3333-4444-555555555555");

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task Devices_come_in_whatever_order_and_are_put_in_theirs()
    {
        await using (var set = await CreateAsync(3)) await set.WriteAsync(Lba.Zero, Content(set));
        foreach (var order in (string[][])[["/b", "/c"], ["/c", "/b"]])
        {
            await using var set = await ConcatDevice.OpenAsync(Open("/a"), Set, [.. order.Select(Open)]);
            var found = new byte[set.Geometry.SizeBytes];
            await set.ReadAsync(Lba.Zero, found);
            Assert.Equal(Content(set), found);
            Assert.Equal(["/a", "/b", "/c"], set.Devices.Select(device => device.Name));
        }
    }

    [Fact]
    public async Task A_device_that_is_taken_out_leaves_a_gap_and_the_others_where_they_were()
    {
        byte[] content;
        (IBlockDevice? Device, long OffsetBytes, long LengthBytes) part;
        await using (var set = await CreateAsync(3))
        {
            content = Content(set);
            await set.WriteAsync(Lba.Zero, content);
            part = set.Layout[1];
            await Assert.ThrowsAsync<ArgumentException>(() => set.TakeOutAsync(set.Devices[0]).AsTask());
            var taken = set.Devices[1];
            await set.TakeOutAsync(taken);
            Assert.Null(set.Layout[1].Device);
            await set.FlushAsync();
            await taken.DisposeAsync();
            await CheckAsync(set);
        }

        await using (var set = await ConcatDevice.OpenAsync(
            Open("/a"), Set, [Open("/c")], new Dictionary<int, ConcatGap> { [1] = new(part.LengthBytes) })) await CheckAsync(set);
        await RefusesAsync<UnsupportedFormatException>("/c", "device 1 is missing", "/c");

        async Task CheckAsync(ConcatDevice set)
        {
            var start = new Lba(part.OffsetBytes / BlockSize);
            await Assert.ThrowsAsync<DeviceIOException>(() => set.ReadAsync(start, new byte[BlockSize]).AsTask());
            await Assert.ThrowsAsync<DeviceIOException>(() => set.WriteAsync(start, new byte[BlockSize]).AsTask());
            await set.TrimAsync(start, part.LengthBytes / BlockSize);
            await set.FlushAsync();
            var end = part.OffsetBytes + part.LengthBytes;
            var found = new byte[set.Geometry.SizeBytes - end];
            await set.ReadAsync(new Lba(end / BlockSize), found);
            Assert.Equal(content.AsSpan((int)end).ToArray(), found);
        }
    }

    [Fact]
    public async Task A_gap_stays_where_it_was_when_the_device_before_it_is_longer()
    {
        (IBlockDevice? Device, long OffsetBytes, long LengthBytes) gone;
        await using (var set = await CreateAsync(3)) gone = set.Layout[2];
        Lengthen("/b", LengthOf("/b") + (3 * Unit));
        var gaps = new Dictionary<int, ConcatGap> { [2] = new(gone.LengthBytes, gone.OffsetBytes) };
        await using (var set = await ConcatDevice.OpenAsync(Open("/a"), Set, [Open("/b")], gaps))
        {
            Assert.Equal(gone with { Device = null }, set.Layout[2]);
            var refused = await Assert.ThrowsAsync<NotSupportedException>(
                () => set.GrowAsync(set.Geometry.BlockCount + (Unit / BlockSize)).AsTask());
            Assert.Contains("its last device was taken out", refused.Message, StringComparison.Ordinal);
        }

        gaps[2] = new(gone.LengthBytes, gone.OffsetBytes + (64 * Unit));
        await using var first = Open("/a");
        await using var second = Open("/b");
        await Assert.ThrowsAsync<CorruptDataException>(() => ConcatDevice.OpenAsync(first, Set, [second], gaps).AsTask());
    }

    [Fact]
    public async Task Flushes_that_are_short_stay_so_when_a_device_has_left()
    {
        await using var set = await CreateAsync(2);
        await set.FlushAsync();
        Assert.True(set.IsFlushShort);
        var taken = set.Devices[1];
        await set.TakeOutAsync(taken);
        await taken.DisposeAsync();
        Assert.True(set.IsFlushShort);
    }

    [Fact]
    public async Task A_device_that_is_missing_twice_there_foreign_or_no_device_of_a_set_is_named()
    {
        await (await CreateAsync(3)).DisposeAsync();
        await RefusesAsync<UnsupportedFormatException>("/c", "device 2 of the set, and device 1 is missing", "/c");
        await RefusesAsync<UnsupportedFormatException>("/b", "/b is device 1 of the set, too", "/b", "/b");
        await RefusesAsync<UnsupportedFormatException>("/a", "not a device of a set", "/a");
        await using var other = ConcatDevice.Of(new MemoryDevice(64), Guid.Empty);
        await using (var foreign = FileDevice.Create(disk, "/f", 4 * Unit)) await other.LabelAsync(foreign);
        await RefusesAsync<UnsupportedFormatException>("/f", $"another set: {Guid.Empty}, not {Set}", "/b", "/c", "/f");
    }

    [Fact]
    public async Task One_copy_of_a_label_is_enough_and_none_is_damage()
    {
        await (await CreateAsync(2)).DisposeAsync();
        Damage(offset: 20);
        await (await ConcatDevice.OpenAsync(Open("/a"), Set, [Open("/b")])).DisposeAsync();
        Damage(offset: Unit + 20);
        await RefusesAsync<CorruptDataException>("/b", "checksum mismatch", "/b");
    }

    [Fact]
    public async Task A_device_that_is_shorter_than_it_was_is_damage_and_a_longer_one_is_not()
    {
        await (await CreateAsync(3)).DisposeAsync();
        Lengthen("/b", Reserved + (5 * Unit));
        await using (var set = await ConcatDevice.OpenAsync(Open("/a"), Set, [Open("/b"), Open("/c")]))
            Assert.Equal(6 * Unit, set.Geometry.SizeBytes);
        Lengthen("/b", Reserved + Unit);
        await RefusesAsync<CorruptDataException>("/b", "cut off", "/b", "/c");
    }

    [Fact]
    public async Task Only_the_last_device_grows()
    {
        await using var set = await CreateAsync(2);
        await set.WriteAsync(Lba.Zero, Content(set));
        await set.GrowAsync((7 * Unit / BlockSize) - 1);
        Assert.Equal(7 * Unit, set.Geometry.SizeBytes); // In whole units.
        Assert.Equal((2 * Unit, Reserved + (5 * Unit)), (LengthOf("/a"), LengthOf("/b")));
        var grown = new byte[3 * Unit];
        await set.ReadAsync(new Lba(4 * Unit / BlockSize), grown);
        Assert.Equal(new byte[3 * Unit], grown);
        await set.GrowAsync(1); // It has more.
        Assert.Equal(7 * Unit, set.Geometry.SizeBytes);
    }

    [Fact]
    public async Task A_device_that_is_not_labelled_for_its_place_is_not_added()
    {
        await using var set = await CreateAsync(1);
        var first = FileDevice.Create(disk, "/x", 4 * Unit);
        await set.LabelAsync(first);
        await set.GrowAsync(4 * Unit / BlockSize); // The place is another one now.
        await Assert.ThrowsAsync<UnsupportedFormatException>(async () => await set.AddAsync(first));
        await Assert.ThrowsAsync<ArgumentException>(async () => await set.LabelAsync(new MemoryDevice(32)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await set.LabelAsync(new MemoryDevice(1024, 512)));
    }

    [Fact]
    public async Task A_flush_that_failed_on_one_device_keeps_all_from_being_written()
    {
        var set = ConcatDevice.Of(new MemoryDevice(64), Set);
        var ill = new FaultyDevice(new MemoryDevice(64), new SeededEntropy(1));
        await set.LabelAsync(ill);
        await set.AddAsync(ill);
        ill.Add(new() { Kind = DeviceFaultKind.Error, Operations = [DriverOperation.Flush], Times = 1 });
        await Assert.ThrowsAsync<DeviceIOException>(async () => await set.FlushAsync());
        await Assert.ThrowsAsync<DeviceIOException>(async () => await set.WriteAsync(Lba.Zero, new byte[BlockSize]));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await set.FlushAsync());
        await set.ReadAsync(Lba.Zero, new byte[BlockSize]);
    }

    [Fact]
    public async Task Space_below_that_two_devices_share_counts_once()
    {
        await using var set = await CreateAsync(2);
        Assert.Equal(disk.GetFreeSpaceBytes("/"), set.FreeSpaceBelowBytes);
        await using var inMemory = ConcatDevice.Of(new MemoryDevice(64), Set);
        Assert.Null(inMemory.FreeSpaceBelowBytes);
    }

    /// <summary>Bytes that nobody may change: a label that is read tomorrow is the one that was written today.</summary>
    [Fact]
    public void A_label_is_these_bytes()
    {
        var bytes = new byte[ConcatLabel.SizeBytes];
        new ConcatLabel(Set, 3, 0x1122330000).Write(bytes);
        Assert.Equal("ASHLCONC"u8, bytes.AsSpan(0, 8));
        Assert.Equal(
            "01000000 00000000 11111111222233334444555555555555 03000000 00000000 0000332211000000".Replace(" ", ""),
            Convert.ToHexStringLower(bytes[8..48]));
        Assert.False(bytes.AsSpan(48..4092).ContainsAnyExcept((byte)0));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(0, 4092)), BitConverter.ToUInt32(bytes, 4092));
        Assert.Equal(new ConcatLabel(Set, 3, 0x1122330000), ConcatLabel.Read(bytes, "x", 0));
    }

    // The first holds 2 units, each other one 2 beside its label.
    async Task<ConcatDevice> CreateAsync(int devices)
    {
        var set = ConcatDevice.Of(FileDevice.Create(disk, "/a", 2 * Unit), Set);
        foreach (var name in (string[])["/b", "/c"])
        {
            if (set.Devices.Count == devices) break;
            var further = FileDevice.Create(disk, name, Reserved + (2 * Unit));
            await set.LabelAsync(further);
            await set.AddAsync(further);
        }
        return set;
    }

    async Task RefusesAsync<T>(string device, string problem, params string[] others)
        where T : AshlarException
    {
        var opened = others.Select(Open).ToList();
        var refusal = await Assert.ThrowsAsync<T>(async () => await ConcatDevice.OpenAsync(Open("/a"), Set, opened));
        Assert.Contains(device, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
        foreach (var each in opened) await each.DisposeAsync();
    }

    static byte[] Content(ConcatDevice set) => new SeededRandom(7).Bytes((int)set.Geometry.SizeBytes);

    IBlockDevice Open(string path) => FileDevice.Open(disk, path);

    void Damage(int offset)
    {
        using var file = disk.Open("/b", FileOpenMode.Existing);
        file.Write([0xAB], offset);
    }

    void Lengthen(string path, long lengthBytes)
    {
        using var file = disk.Open(path, FileOpenMode.Existing);
        file.SetLength(lengthBytes);
    }

    long LengthOf(string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        return file.LengthBytes;
    }
}
