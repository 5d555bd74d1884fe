using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Blocks.Tests.Driver;

namespace Ashlar.Blocks.Tests.Raid;

/// <summary>Which members are asked, and whether all at once.</summary>
public sealed class RaidRequestTests
{
    const int BlockBytes = 4096, ChunkBytes = 2 * BlockBytes, BlocksPerMember = 64;

    [Theory]
    [InlineData(RaidLevel.Raid0, 4, 4)]
    [InlineData(RaidLevel.Raid5, 4, 3)]
    [InlineData(RaidLevel.Raid6, 6, 4)]
    [InlineData(RaidLevel.Raid10, 6, 3)]
    public async Task A_stripe_is_read_from_its_members_at_once(RaidLevel level, int members, int data)
    {
        var devices = Devices(members);
        var set = Set(level, devices);
        foreach (var device in devices) device.HoldReads();
        var read = set.ReadAsync(Lba.Zero, new byte[data * ChunkBytes]).AsTask();
        Assert.Equal(data, devices.Sum(static device => device.ReadsBegun));
        Assert.All(devices, static device => Assert.InRange(device.ReadsBegun, 0, 1));
        Assert.False(read.IsCompleted);
        foreach (var device in devices) device.Release();
        await read;
    }

    [Theory]
    [InlineData(RaidLevel.Raid0, 4, 4)]
    [InlineData(RaidLevel.Raid5, 4, 4)]
    [InlineData(RaidLevel.Raid6, 6, 6)]
    [InlineData(RaidLevel.Raid1, 3, 3)]
    public async Task A_stripe_is_written_to_its_members_at_once(RaidLevel level, int members, int written)
    {
        var devices = Devices(members);
        var set = Set(level, devices);
        foreach (var device in devices) device.HoldWrites();
        var bytes = level == RaidLevel.Raid1 ? ChunkBytes : ChunkBytes * (level switch
        {
            RaidLevel.Raid5 => members - 1,
            RaidLevel.Raid6 => members - 2,
            _ => members,
        });
        var write = set.WriteAsync(Lba.Zero, new byte[bytes]).AsTask();
        Assert.Equal(written, devices.Sum(static device => device.WritesBegun));
        Assert.False(write.IsCompleted);
        foreach (var device in devices) device.Release();
        await write;
    }

    [Fact]
    public async Task Of_two_mirrors_the_one_with_less_to_do_is_asked()
    {
        var devices = Devices(2);
        var set = Set(RaidLevel.Raid1, devices);
        foreach (var device in devices) device.HoldReads();
        var reads = new List<Task>();
        for (var i = 0; i < 8; i++) reads.Add(set.ReadAsync(new Lba(i * 7), new byte[BlockBytes]).AsTask());
        Assert.All(devices, static device => Assert.Equal(4, device.ReadsBegun));

        // One answers again, the other does not: nothing more is asked of that.
        devices[0].Release();
        await Task.WhenAny(reads);
        while (reads.Count(static read => read.IsCompleted) < 4) await Task.Yield();
        for (var i = 0; i < 8; i++) await set.ReadAsync(new Lba(i * 5), new byte[BlockBytes]);
        Assert.Equal(4, devices[1].ReadsBegun);
        devices[1].Release();
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task A_reader_of_one_block_after_the_other_stays_with_its_mirror_and_others_take_turns()
    {
        var devices = Devices(2);
        var set = Set(RaidLevel.Raid1, devices);
        for (var block = 0; block < BlocksPerMember / 2; block++) await set.ReadAsync(new Lba(block), new byte[BlockBytes]);
        Assert.Equal([0, BlocksPerMember / 2], devices.Select(static device => device.ReadsBegun).Order());

        var before = devices.Select(static device => device.ReadsBegun).ToArray();
        for (var i = 0; i < 20; i++) await set.ReadAsync(new Lba(i * 11 % 40), new byte[BlockBytes]);
        Assert.All(devices.Zip(before), static pair => Assert.InRange(pair.First.ReadsBegun - pair.Second, 5, 15));
    }

    static HeldDevice[] Devices(int count) =>
        [.. Enumerable.Range(0, count).Select(static i => new HeldDevice(new MemoryDevice(BlocksPerMember, BlockBytes, $"disk{i}")))];

    static RaidSet Set(RaidLevel level, HeldDevice[] devices) =>
        new("set", new RaidLayout(level, devices.Length), devices, ChunkBytes);
}
