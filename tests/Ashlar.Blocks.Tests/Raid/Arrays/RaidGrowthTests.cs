using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>A set becomes larger with its devices, while it is in use, and never by what one of them does not have.</summary>
public sealed class RaidGrowthTests
{
    const int BlockBytes = 512, ChunkBytes = 8192, MemberBytes = 1 << 20;

    readonly SimulatedFileSystem disk = new();
    readonly List<RaidEvent> events = [];

    [Theory]
    [InlineData(RaidLevel.Raid0, 3)]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 3)]
    [InlineData(RaidLevel.Raid6, 5)]
    [InlineData(RaidLevel.Raid10, 4)]
    public async Task Files_are_lengthened_and_what_is_added_is_as_redundant_as_the_rest(RaidLevel level, int members)
    {
        var layout = new RaidLayout(level, members);
        byte[] before, tail;
        await using (var array = await CreateAsync(level, members))
        {
            before = Random((int)array.Geometry.SizeBytes, seed: 1);
            await array.WriteAsync(Lba.Zero, before);
            await array.GrowAsync(array.Geometry.BlockCount * 3);
            Assert.Equal(before.Length * 3, array.Geometry.SizeBytes);
            Assert.Equal(array.Geometry.SizeBytes, array.LargestBytes);
            Assert.All(await ReadAsync(array, before.Length, before.Length * 2), value => Assert.Equal(0, value));
            tail = Random(before.Length, seed: 2);
            await array.WriteAsync(new Lba(2L * before.Length / BlockBytes), tail);
        }

        for (var lost = -1; lost < (layout.Survives(new HashSet<int> { 0 }) ? members : 0); lost++)
        {
            await using var array = await OpenAsync(Enumerable.Range(0, members).Where(member => member != lost));
            Assert.Equal(before, await ReadAsync(array, 0, before.Length));
            Assert.All(await ReadAsync(array, before.Length, before.Length), value => Assert.Equal(0, value));
            Assert.Equal(tail, await ReadAsync(array, 2 * before.Length, tail.Length));
            if (lost >= 0) await array.AddAsync(lost, FileDevice.Open(disk, $"/m{lost}", BlockBytes));
            await array.WaitForBackgroundAsync();
        }
    }

    [Fact]
    public async Task A_set_whose_members_were_all_replaced_by_larger_ones_has_their_room()
    {
        await using var array = await CreateAsync(RaidLevel.Raid5, 3, MemoryDeviceOf);
        var (content, size) = (Random((int)array.Geometry.SizeBytes, seed: 3), array.Geometry.SizeBytes);
        await array.WriteAsync(Lba.Zero, content);
        for (var place = 0; place < 3; place++)
        {
            Assert.Equal(size, array.LargestBytes);
            var refused = await Assert.ThrowsAsync<DeviceFullException>(() => array.GrowAsync(array.Geometry.BlockCount + 1).AsTask());
            Assert.Contains($"/m{place} has {MemberBytes} bytes", refused.Message, StringComparison.Ordinal);
            await array.ReplaceAsync(place, new MemoryDevice(4 * MemberBytes / BlockBytes, BlockBytes, $"/larger{place}"));
            await array.WaitForBackgroundAsync();
        }

        Assert.InRange(array.LargestBytes, 4 * size, 6 * size); // What is not data is a share of the first ones.
        Assert.Equal(size, array.Geometry.SizeBytes); // Nobody has asked.
        await array.GrowAsync(array.LargestBytes / BlockBytes);
        Assert.Equal(array.LargestBytes, array.Geometry.SizeBytes);
        Assert.Equal(content, await ReadAsync(array, 0, content.Length));
        Assert.All(await ReadAsync(array, content.Length, content.Length), value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task A_set_does_not_grow_while_a_member_is_missing_or_being_replaced()
    {
        var clock = new SimulatedClock(); // No stripe is copied after the first one until time passes.
        var array = await CreateAsync(RaidLevel.Raid1, 2, options: new() { TimeProvider = clock, BackgroundBytesPerSecond = 1 });
        var size = array.Geometry;
        await array.ReplaceAsync(0, FileDevice.Create(disk, "/first", MemberBytes, BlockBytes));
        await RefusedAsync("member 0 is being replaced");
        for (; array.Members[0].Replacement is not null; await Task.Delay(1)) clock.Advance(TimeSpan.FromDays(1));
        Assert.True(await array.TryFailAsync(1, "test"));
        await RefusedAsync("member 1 is missing");
        await array.AddAsync(1, FileDevice.Create(disk, "/second", MemberBytes, BlockBytes));
        await RefusedAsync("member 1 is being rebuilt");
        for (; array.State != RaidArrayState.Healthy || array.Members[0].Replacement is not null; await Task.Delay(1))
            clock.Advance(TimeSpan.FromDays(1));
        await array.GrowAsync(size.BlockCount + 1);
        Assert.Equal(size.SizeBytes + ChunkBytes, array.Geometry.SizeBytes);
        await array.DisposeAsync();

        async Task RefusedAsync(string problem)
        {
            var refused = await Assert.ThrowsAsync<RaidRefusedException>(() => array.GrowAsync(size.BlockCount + 1).AsTask());
            Assert.Equal(RaidRefusal.WrongState, refused.Reason);
            Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
            Assert.Equal(size, array.Geometry);
        }
    }

    [Fact]
    public async Task A_member_that_was_replaced_and_is_too_small_by_now_keeps_nobody_from_starting_the_set()
    {
        IBlockDevice old;
        var devices = Enumerable.Range(0, 2).Select(MemoryDeviceOf).ToArray();
        IBlockDevice[] larger = [.. Enumerable.Range(0, 2).Select(
            i => new MemoryDevice(2 * MemberBytes / BlockBytes, BlockBytes, $"/l{i}"))];
        var array = await CreateAsync(RaidLevel.Raid1, 2, number => devices[number]);
        old = ArrayBench.CopyOf(devices[0], MemberBytes / BlockBytes);
        for (var place = 0; place < 2; place++)
        {
            await array.ReplaceAsync(place, larger[place]);
            await array.WaitForBackgroundAsync();
        }

        await array.GrowAsync(array.LargestBytes / BlockBytes);
        var copies = larger.Select(device => ArrayBench.CopyOf(device, 2 * MemberBytes / BlockBytes)).ToArray();
        await array.DisposeAsync();
        await using var opened = await RaidArray.OpenAsync([old, .. copies], Options());
        Assert.Equal(RaidArrayState.Healthy, opened.State);
        Assert.Contains(events, e => e.Kind == RaidEventKind.DeviceIgnored && e.Message.Contains("/m0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_member_that_did_not_hear_that_the_set_has_grown_is_rebuilt_as_a_whole()
    {
        // The proposal fails on it: it says of the set that it is smaller, and holds what it was given, but no marks tell what is missing.
        var faulty = new FaultyDevice(FileDevice.Create(disk, "/m1", 4 * MemberBytes, BlockBytes), new SeededEntropy(1));
        var content = Random(MemberBytes / 2, seed: 5);
        await using (var array = await CreateAsync(RaidLevel.Raid1, 2, number => number == 1 ? faulty : FileOf(number)))
        {
            faulty.Add(new DeviceFault
            {
                Operations = [DriverOperation.Write],
                Start = Lba.Zero,
                BlockCount = MemberAreas.RegionMapAt(0) / BlockBytes,
                Kind = DeviceFaultKind.Error,
            });
            await array.GrowAsync(2 * array.Geometry.BlockCount);
            Assert.Equal(RaidArrayState.Degraded, array.State);
            await array.WriteAsync(new Lba((array.Geometry.SizeBytes - content.Length) / BlockBytes), content);
        }

        await using var opened = await OpenAsync([0, 1]);
        Assert.NotEqual(MemberState.InSync, opened.Members[1].State);
        await opened.AddAsync(1, FileDevice.Open(disk, "/m1", BlockBytes));
        await opened.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, opened.State);
        var found = new byte[content.Length];
        for (var copy = 0; copy < 2; copy++)
        {
            Assert.True(await opened.ReadCopyAsync(new Lba((opened.Geometry.SizeBytes - content.Length) / BlockBytes), found, copy));
            Assert.Equal(content, found);
        }
    }

    [Fact]
    public async Task Writers_go_on_while_the_set_grows_again_and_again()
    {
        await using var array = await CreateAsync(RaidLevel.Raid5, 3);
        var (content, isDone) = (Random((int)array.Geometry.SizeBytes, seed: 7), false);
        var writing = Task.Run(async () =>
        {
            for (var step = 0; !Volatile.Read(ref isDone); step = (step + 1) % (content.Length / 4096))
                await array.WriteAsync(new Lba(step * 4096L / BlockBytes), content.AsMemory(step * 4096, 4096));
        });
        for (var i = 0; i < 20; i++) await array.GrowAsync(array.Geometry.BlockCount + 1);
        Volatile.Write(ref isDone, true);
        await writing;
        await array.WriteAsync(Lba.Zero, content);
        Assert.Equal(content, await ReadAsync(array, 0, content.Length));
        Assert.Equal(content.Length + (20 * 2 * ChunkBytes), array.Geometry.SizeBytes);
    }

    static MemoryDevice MemoryDeviceOf(int number) => new(MemberBytes / BlockBytes, BlockBytes, $"/m{number}");

    FileDevice FileOf(int number) => FileDevice.Create(disk, $"/m{number}", MemberBytes, BlockBytes);

    Task<RaidArray> CreateAsync(RaidLevel level, int members, Func<int, IBlockDevice>? device = null, RaidOptions? options = null) =>
        RaidArray.CreateAsync([.. Enumerable.Range(0, members).Select(device ?? FileOf)], new RaidCreateOptions
        {
            Level = level,
            ChunkBytes = ChunkBytes,
            RegionBytes = 4 * ChunkBytes,
            TimeProvider = (options ?? Options()).TimeProvider,
            BackgroundBytesPerSecond = options?.BackgroundBytesPerSecond ?? 0,
        }).AsTask();

    Task<RaidArray> OpenAsync(IEnumerable<int> members) => RaidArray.OpenAsync(
        [.. members.Select(member => FileDevice.Open(disk, $"/m{member}", BlockBytes))], Options()).AsTask();

    RaidOptions Options() => new()
    {
        Events = e =>
        {
            lock (events) events.Add(e);
        },
    };

    static byte[] Random(int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    static async Task<byte[]> ReadAsync(RaidArray array, long offset, int length)
    {
        var content = new byte[length];
        await array.ReadAsync(new Lba(offset / BlockBytes), content);
        return content;
    }
}
