using System.Buffers.Binary;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>Devices are a set only if nothing speaks against it; what does is named.</summary>
public sealed class RaidAssemblyTests
{
    const int BlockCount = 2000;

    [Fact]
    public async Task Members_are_put_in_their_places_whatever_their_order()
    {
        var disks = Disks(4);
        await WriteAndCloseAsync(await CreateAsync(disks, RaidLevel.Raid5), 1);
        await using var array = await RaidArray.OpenAsync([disks[2], disks[0], disks[3], disks[1]]);
        Assert.Equal(["disk0", "disk1", "disk2", "disk3"], array.Members.Select(member => member.Device));
        await CheckAsync(array, 1);
    }

    [Fact]
    public async Task What_does_not_belong_together_is_refused_by_name()
    {
        var (disks, others) = (Disks(3), Disks(3, "other"));
        await (await CreateAsync(disks, RaidLevel.Raid5)).DisposeAsync();
        await (await CreateAsync(others, RaidLevel.Raid5)).DisposeAsync();
        await RefusedAsync(RaidRefusal.ForeignMember, "disk0.*other1", disks[0], others[1], disks[2]);
        await RefusedAsync(RaidRefusal.SameDevice, "disk0 was given twice", disks[0], disks[1], disks[0]);
        await RefusedAsync(RaidRefusal.ClonedMember, "disk0 and copy", disks[0], disks[1], Copy(disks[0], "copy"));
        await RefusedAsync(RaidRefusal.TooFewMembers, "members 1, 2", disks[0]);
        await RefusedAsync(RaidRefusal.NoMembers, "blank", new MemoryDevice(BlockCount, 512, "blank"));
        var small = Copy(disks[2], "small", BlockCount - 32);
        await RefusedAsync(RaidRefusal.Unfit, "small", disks[0], disks[1], small);
    }

    [Fact]
    public async Task A_member_that_is_old_counts_as_missing_and_is_named()
    {
        var disks = Disks(3);
        await (await CreateAsync(disks, RaidLevel.Raid5)).DisposeAsync();
        var old = Copy(disks[1], "disk1");
        await WriteAndCloseAsync(await RaidArray.OpenAsync(disks), 1);
        List<RaidEvent> events = [];
        var options = new RaidOptions { Events = events.Add };
        await using (var array = await RaidArray.OpenAsync([disks[0], old, disks[2]], options))
        {
            Assert.Equal(RaidArrayState.Degraded, array.State);
            await CheckAsync(array, 1);
        }

        var ignored = Assert.Single(events, e => e.Kind == RaidEventKind.DeviceIgnored);
        Assert.Contains("disk1 is not used", ignored.Message, StringComparison.Ordinal);
        await RefusedAsync(RaidRefusal.TooFewMembers, "members 1, 2", disks[0], old);
    }

    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid10, 4)]
    public async Task Halves_that_were_started_apart_are_refused_as_split(RaidLevel level, int members)
    {
        var disks = Disks(members);
        await WriteAndCloseAsync(await CreateAsync(disks, level), 1);
        IBlockDevice[] left = [.. disks.Where((_, i) => i % 2 == 0)], right = [.. disks.Where((_, i) => i % 2 != 0)];
        await WriteAndCloseAsync(await RaidArray.OpenAsync(left), 2);
        await WriteAndCloseAsync(await RaidArray.OpenAsync(right), 3);
        await RefusedAsync(RaidRefusal.SplitBrain, "have gone on without each other", disks);
        await WriteAndCloseAsync(await RaidArray.OpenAsync(left), 2); // One side is newer now.
        await RefusedAsync(RaidRefusal.SplitBrain, "have gone on without each other", disks);
        await using var one = await RaidArray.OpenAsync(left);
        await CheckAsync(one, 2);
    }

    [Fact]
    public async Task One_half_that_was_started_alone_wins_and_the_other_is_given_what_it_missed()
    {
        var disks = Disks(2);
        await WriteAndCloseAsync(await CreateAsync(disks, RaidLevel.Raid1), 1);
        await WriteAndCloseAsync(await RaidArray.OpenAsync([disks[1]]), 2);
        await using var array = await RaidArray.OpenAsync(disks);
        await CheckAsync(array, 2);
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
    }

    [Fact]
    public async Task A_torn_superblock_leaves_the_one_before()
    {
        var disks = Disks(2);
        await WriteAndCloseAsync(await CreateAsync(disks, RaidLevel.Raid1), 1);
        for (var copy = 0; copy < 2; copy++)
        {
            IBlockDevice[] torn = [Copy(disks[0], "disk0"), Copy(disks[1], "disk1")];
            await torn[0].WriteAsync(new Lba((MemberAreas.SuperblockAt(copy) / 512) + 3), new byte[512]);
            await using var array = await RaidArray.OpenAsync(torn);
            await CheckAsync(array, 1);
        }

        foreach (var copy in (int[])[0, 1]) await disks[0].WriteAsync(new Lba(MemberAreas.SuperblockAt(copy) / 512), Junk(512));
        await using var without = await RaidArray.OpenAsync(disks);
        Assert.Equal(RaidArrayState.Degraded, without.State);
    }

    [Fact]
    public async Task Devices_that_are_in_use_are_not_written_over_unless_that_is_forced()
    {
        foreach (var (magic, name) in ((byte[], string)[])
            [("XFSB"u8.ToArray(), "a file system: xfs"), ("ASHLRAID"u8.ToArray(), "a member of a RAID set of Ashlar")])
        {
            var disks = Disks(2);
            var content = new byte[512];
            magic.CopyTo(content, 0);
            await disks[1].WriteAsync(Lba.Zero, content);
            var refused = await Assert.ThrowsAsync<RaidRefusedException>(() => CreateAsync(disks, RaidLevel.Raid1));
            Assert.Equal(RaidRefusal.InUse, refused.Reason);
            Assert.Contains($"disk1 holds {name}", refused.Message, StringComparison.Ordinal);
            var options = new RaidCreateOptions { Level = RaidLevel.Raid1, IsForced = true };
            await (await RaidArray.CreateAsync(disks, options)).DisposeAsync();
        }
    }

    [Fact]
    public async Task A_device_of_the_set_or_one_that_does_not_fit_is_no_spare()
    {
        var disks = Disks(3);
        var array = await CreateAsync(disks, RaidLevel.Raid5);
        var other = Disks(1, "other")[0];
        List<(IBlockDevice Device, RaidRefusal Reason)> unfit =
        [
            (disks[1], RaidRefusal.SameDevice),
            (new MemoryDevice(900, 512, "small"), RaidRefusal.Unfit),
            (new MemoryDevice(900), RaidRefusal.Unfit),
        ];
        foreach (var (device, reason) in unfit)
            Assert.Equal(reason, (await Assert.ThrowsAsync<RaidRefusedException>(async () => await array.AddSpareAsync(device))).Reason);
        await Assert.ThrowsAsync<RaidRefusedException>(async () => await array.AddAsync(0, other));
        await array.RemoveAsync(0);
        Assert.Equal(RaidArrayState.Degraded, array.State);
        Assert.Equal(
            RaidRefusal.WrongState, (await Assert.ThrowsAsync<RaidRefusedException>(async () => await array.RemoveAsync(1))).Reason);
        await array.AddAsync(0, other);
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
        await array.DisposeAsync();
    }

    [Fact]
    public void A_superblock_has_these_bytes()
    {
        var bytes = new byte[MemberSuperblock.SizeBytes];
        var written = new MemberSuperblock
        {
            SetId = new Guid("00112233-4455-6677-8899-aabbccddeeff"),
            MemberId = new Guid("ffeeddcc-bbaa-9988-7766-554433221100"),
            Place = 2,
            Level = RaidLevel.Raid5,
            ChunkBytes = 65536,
            BlockSizeBytes = 512,
            Areas = new MemberAreas(1 << 20, 655360),
            RegionBytes = 1 << 26,
            Generation = 6,
            Sequence = 9,
            JournalEpoch = 4,
            MissedSince = 2,
            ScrubbedBytes = 65536,
            IsDirty = true,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000),
            Entries =
            [
                new(new Guid(1, 0, 0, new byte[8]), MemberState.InSync),
                new(new Guid(2, 0, 0, new byte[8]), MemberState.Missing, LeftAt: 2),
                new(new Guid("ffeeddcc-bbaa-9988-7766-554433221100"), MemberState.Rebuilding, RebuiltBytes: 131072, IsByRegions: true),
            ],
        };
        written.Write(bytes);
        var expected = "4153484c524149440100000001000000" + "00112233445566778899aabbccddeeff" + "ffeeddccbbaa99887766554433221100"
            + "02000500030000000000010000020000" + "00000a00000000000000100000000000" + "00000004000000000600000000000000"
            + "09000000000000000400000000000000" + "02000000000000000068e5cf8b010000" + "0000010000000000";
        Assert.Equal(expected, Convert.ToHexStringLower(bytes[..136]));
        Assert.Equal("0000000100000000000000000000000001000000", Convert.ToHexStringLower(bytes[512..532]));
        Assert.Equal("02010000000000000000000000000000" + "0000020000000000", Convert.ToHexStringLower(bytes[624..648]));
        var read = MemberSuperblock.Read(bytes, "disk", 0);
        Assert.Equal(written.Entries, read.Entries);
        Assert.Equal(written with { Entries = read.Entries }, read);
        for (var at = 0; at < bytes.Length; at += 37)
        {
            bytes[at] ^= 1;
            Assert.ThrowsAny<AshlarException>(() => MemberSuperblock.Read(bytes, "disk", 0));
            bytes[at] ^= 1;
        }
    }

    [Fact]
    public void Numbers_of_a_superblock_are_checked_although_its_checksum_is_right()
    {
        var random = new Random(5);
        var sound = new byte[MemberSuperblock.SizeBytes];
        new MemberSuperblock
        {
            SetId = Guid.Empty,
            MemberId = Guid.Empty,
            Place = 0,
            Level = RaidLevel.Raid1,
            ChunkBytes = 4096,
            BlockSizeBytes = 512,
            Areas = new MemberAreas(0, 4096),
            RegionBytes = 4096,
            CreatedAt = default,
            Entries = [default, default],
        }.Write(sound);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = sound.ToArray();
            var at = random.Next(8, 136);
            random.NextBytes(bytes.AsSpan(at, random.Next(1, 8)));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4092), Crc32C.Compute(bytes.AsSpan(0, 4092)));
            try
            {
                var read = MemberSuperblock.Read(bytes, "disk", 0);
                Assert.True(RegionMap.Covers(read.Areas.DataBytes, read.RegionBytes));
            }
            catch (AshlarException e)
            {
                Assert.True(e is CorruptDataException or UnsupportedFormatException, e.ToString());
            }
        }
    }

    static MemoryDevice[] Disks(int count, string name = "disk") =>
        [.. Enumerable.Range(0, count).Select(i => new MemoryDevice(BlockCount, 512, $"{name}{i}"))];

    static Task<RaidArray> CreateAsync(IBlockDevice[] disks, RaidLevel level) => RaidArray.CreateAsync(
        disks, new RaidCreateOptions { Level = level, ChunkBytes = 4096, RegionBytes = 16384 }).AsTask();

    static async Task WriteAndCloseAsync(RaidArray array, int version)
    {
        await array.WriteAsync(new Lba(5), Content(version));
        await array.DisposeAsync();
    }

    static async Task CheckAsync(RaidArray array, int version)
    {
        var content = new byte[40 * 512];
        await array.ReadAsync(new Lba(5), content);
        Assert.True(Content(version).AsSpan().SequenceEqual(content));
    }

    static byte[] Content(int version)
    {
        var content = new byte[40 * 512];
        new Random(version).NextBytes(content);
        return content;
    }

    static byte[] Junk(int length)
    {
        var junk = new byte[length];
        new Random(9).NextBytes(junk);
        return junk;
    }

    static MemoryDevice Copy(MemoryDevice disk, string name, int blockCount = BlockCount)
    {
        var copy = new MemoryDevice(blockCount, 512, name);
        var content = new byte[blockCount * 512];
        disk.ReadAsync(Lba.Zero, content).AsTask().GetAwaiter().GetResult();
        copy.WriteAsync(Lba.Zero, content).AsTask().GetAwaiter().GetResult();
        return copy;
    }

    static async Task RefusedAsync(RaidRefusal reason, string message, params IBlockDevice[] disks)
    {
        var refused = await Assert.ThrowsAsync<RaidRefusedException>(async () => await RaidArray.OpenAsync(disks));
        Assert.Equal(reason, refused.Reason);
        Assert.Matches(message, refused.Message);
    }
}
