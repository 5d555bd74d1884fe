using Ashlar.Blocks.Contract;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Raid;

public sealed class Raid0ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid0, 3);
}

public sealed class Raid1ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid1, 3);
}

public sealed class Raid5ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid5, 4);
}

public sealed class Raid6ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid6, 5);
}

public sealed class Raid10ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid10, 4);
}

public sealed class DegradedRaid5ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid5, 4);

    protected override int[] Missing => [2];
}

public sealed class DegradedRaid6ContractTests : RaidContract
{
    private protected override RaidLayout Layout => new(RaidLevel.Raid6, 5);

    protected override int[] Missing => [1, 3];
}

/// <summary>A set is a device like any other, with all members or with as few as it can do without.</summary>
public abstract class RaidContract : BlockDeviceContract
{
    private protected abstract RaidLayout Layout { get; }

    protected virtual int[] Missing => [];

    protected override ValueTask<IBlockDevice> CreateAsync() => new(new RaidSet(
        "set",
        Layout,
        [.. Enumerable.Range(0, Layout.MemberCount).Select(i => Missing.Contains(i) ? null : new MemoryDevice(1000, 512, $"disk{i}"))],
        chunkBytes: 4096));
}

/// <summary>
/// Whatever was written, with whatever members were there at the time, is read with as few members as the level can do without; and parity
/// and copies are what they should be.
/// </summary>
public sealed class RaidSetTests
{
    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            foreach (var level in Enum.GetValues<RaidLevel>())
            {
                for (var members = Math.Max(3, RaidLayout.LeastMembers(level)); members <= 8; members++)
                {
                    if (level == RaidLevel.Raid10 && members % 2 != 0) continue;
                    foreach (var chunkBytes in (int[])[4096, 16384]) shapes.Add((int)level, members, chunkBytes);
                }
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task All_data_is_read_after_every_loss_that_the_level_survives(int level, int members, int chunkBytes)
    {
        var disks = new Disks(level, members, chunkBytes);
        await disks.ChangeAsync(disks.Open([]), steps: 60, seed: 1);
        await disks.CheckParityAsync();
        foreach (var lost in disks.SurvivableLosses()) await disks.CheckContentAsync(disks.Open(lost));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task What_is_written_without_some_members_is_what_they_should_hold_when_they_are_rebuilt(
        int level, int members, int chunkBytes)
    {
        foreach (var lost in new Disks(level, members, chunkBytes).SurvivableLosses().Where(lost => lost.Length > 0))
        {
            var disks = new Disks(level, members, chunkBytes);
            await disks.ChangeAsync(disks.Open([]), steps: 10, seed: 2);
            await disks.ChangeAsync(disks.Open(lost), steps: 25, seed: 3);
            await disks.CheckContentAsync(disks.Open(lost));
            await disks.RebuildAsync(lost);
            await disks.CheckParityAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task A_member_that_fails_a_write_is_given_up_before_the_write_is_acknowledged(int level, int members, int chunkBytes)
    {
        if (level == (int)RaidLevel.Raid0) return;
        for (var failing = 0; failing < members; failing++)
        {
            var disks = new Disks(level, members, chunkBytes);
            List<int> given = [];
            var device = disks.Faulty[failing];
            var set = disks.Open([], member =>
            {
                given.Add(member.Number);
                return ValueTask.CompletedTask;
            });
            await disks.ChangeAsync(set, steps: 5, seed: 4);
            var fault = device.Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error });
            await disks.ChangeAsync(set, steps: 25, seed: 5);
            Assert.Equal([failing], given);
            Assert.False(set.Members[failing].IsUsable);
            await disks.CheckContentAsync(set);
            device.Remove(fault);
            await disks.CheckContentAsync(disks.Open([failing]));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task A_block_that_cannot_be_read_is_calculated_and_written_again(int level, int members, int chunkBytes)
    {
        if (level == (int)RaidLevel.Raid0) return;
        var disks = new Disks(level, members, chunkBytes);
        var set = disks.Open([]);
        await disks.ChangeAsync(set, steps: 40, seed: 6);
        for (var bad = 0; bad < members; bad++)
        {
            var fault = disks.Faulty[bad].Add(new DeviceFault { Operations = [DriverOperation.Read], Kind = DeviceFaultKind.Error });
            await disks.CheckContentAsync(set);
            // Of copies each comes to its turn where nobody reads on.
            var random = new Random(bad);
            for (var reads = 0; fault.Hits == 0 && reads < 1000; reads++)
                await set.ReadAsync(new Lba(random.NextInt64(set.Geometry.BlockCount)), new byte[4096]);
            disks.Faulty[bad].Remove(fault);
            Assert.True(fault.Hits > 0);
        }

        Assert.All(set.Members, member => Assert.True(member.IsUsable));
        await disks.CheckParityAsync();
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 3)]
    [InlineData(5, 5)]
    [InlineData(6, 5)]
    [InlineData(10, 4)]
    public async Task Writers_of_one_stripe_do_not_disturb_each_other_while_a_member_fails(int level, int members)
    {
        var disks = new Disks(level, members, chunkBytes: 16384);
        var set = disks.Open([]);
        var delay = TimeSpan.FromMilliseconds(1);
        foreach (var disk in disks.Faulty) disk.Add(new DeviceFault { Kind = DeviceFaultKind.Delay, Delay = delay, Probability = 0.3 });
        disks.Faulty[0].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error, Skip = 15 });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var round = 0; round < 40; round++)
            {
                // A chunk of its own, whose parity is that of the others as well.
                var block = (4 * writer) + random.Next(4);
                var content = disks.Model.AsMemory(block * 4096, 4096);
                random.NextBytes(content.Span);
                await set.WriteAsync(new Lba(block), content);
                var read = new byte[4096];
                await set.ReadAsync(new Lba(block), read);
                Assert.True(content.Span.SequenceEqual(read));
            }
        })));
        Assert.False(set.Members[0].IsUsable);
        await disks.CheckContentAsync(set);
        await disks.RebuildAsync([0]);
        await disks.CheckParityAsync();
    }

    [Fact]
    public void Members_that_do_not_fit_and_too_few_of_them_are_refused()
    {
        var layout = new RaidLayout(RaidLevel.Raid5, 3);
        var disk = new MemoryDevice(64);
        Assert.Throws<ArgumentException>(() => new RaidSet("set", layout, [disk, disk], 4096));
        Assert.Throws<ArgumentException>(() => new RaidSet("set", layout, [disk, disk, disk], 5000));
        Assert.Throws<ArgumentException>(() => new RaidSet("set", layout, [disk, disk, new MemoryDevice(512, 512)], 4096));
        Assert.Throws<ArgumentException>(() => new RaidSet("set", layout, [disk, disk, new MemoryDevice(1)], 8192));
        var error = Assert.Throws<DeviceIOException>(() => new RaidSet("set", layout, [null, disk, null], 4096));
        Assert.Contains("member 0, member 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_set_that_lost_too_much_refuses_with_the_names_of_what_it_lacks_and_never_answers_wrongly()
    {
        var disks = new Disks((int)RaidLevel.Raid5, 4, 4096);
        var set = disks.Open([]);
        await disks.ChangeAsync(set, steps: 20, seed: 7);
        foreach (var lost in (int[])[1, 2])
            disks.Faulty[lost].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error });
        await Assert.ThrowsAsync<DeviceIOException>(async () =>
        {
            for (var i = 0; i < 8; i++) await set.WriteAsync(new Lba(i), new byte[4096]);
        });
        var error = await Assert.ThrowsAsync<DeviceIOException>(async () => await set.WriteAsync(Lba.Zero, new byte[4096]));
        Assert.Contains("disk1, disk2", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DeviceIOException>(async () => await set.FlushAsync());
        var buffer = new byte[4096];
        for (var block = 0; block < set.Geometry.BlockCount; block++)
        {
            try
            {
                await set.ReadAsync(new Lba(block), buffer);
            }
            catch (DeviceIOException)
            {
                continue;
            }

            Assert.True(block < 8 || disks.Model.AsSpan(block * 4096, 4096).SequenceEqual(buffer), $"block {block}");
        }
    }

    /// <summary>Disks in memory, a model of what the set over them should hold, and what a test does to both.</summary>
    sealed class Disks
    {
        const int StripeCount = 6, BlockBytes = 4096;

        readonly RaidLayout layout;
        readonly int chunkBytes;
        readonly MemoryDevice[] memory;

        public Disks(int level, int members, int chunkBytes)
        {
            layout = new((RaidLevel)level, members);
            this.chunkBytes = chunkBytes;
            var blocks = StripeCount * chunkBytes / BlockBytes;
            memory = [.. Enumerable.Range(0, members).Select(i => new MemoryDevice(blocks, BlockBytes, $"disk{i}"))];
            Faulty = [.. memory.Select((device, i) => new FaultyDevice(device, new SeededEntropy((ulong)i)))];
            Model = new byte[StripeCount * layout.DataPerStripe * chunkBytes];
        }

        public FaultyDevice[] Faulty { get; }

        public byte[] Model { get; }

        public RaidSet Open(int[] lost, Func<RaidMember, ValueTask>? memberFailed = null) => new(
            "set", layout, [.. Faulty.Select((device, i) => lost.Contains(i) ? null : device)], chunkBytes, memberFailed);

        public IEnumerable<int[]> SurvivableLosses()
        {
            yield return [];
            for (var first = 0; first < layout.MemberCount; first++)
            {
                if (layout.Survives(new HashSet<int> { first })) yield return [first];
                for (var second = first + 1; second < layout.MemberCount; second++)
                    if (layout.Survives(new HashSet<int> { first, second })) yield return [first, second];
            }
        }

        public async Task ChangeAsync(RaidSet set, int steps, int seed)
        {
            var random = new Random(seed);
            for (var step = 0; step < steps; step++)
            {
                var start = random.Next(Model.Length / BlockBytes);
                var most = Math.Min((Model.Length / BlockBytes) - start, random.Next(3) == 0 ? 1000 : 1 + (2 * chunkBytes / BlockBytes));
                var count = 1 + random.Next(most);
                var range = Model.AsMemory(start * BlockBytes, count * BlockBytes);
                if (random.Next(6) == 0)
                {
                    range.Span.Clear();
                    if (random.Next(2) == 0) await set.TrimAsync(new Lba(start), count);
                    else await set.WriteZeroesAsync(new Lba(start), count, ZeroOptions.KeepAllocated);
                }
                else
                {
                    random.NextBytes(range.Span);
                    await set.WriteAsync(new Lba(start), range.ToArray());
                }
            }
        }

        public async Task CheckContentAsync(RaidSet set)
        {
            var content = new byte[Model.Length];
            await set.ReadAsync(Lba.Zero, content);
            Assert.True(Model.AsSpan().SequenceEqual(content));
            for (var block = 0; block < Model.Length / BlockBytes; block += 3)
            {
                await set.ReadAsync(new Lba(block), content.AsMemory(0, BlockBytes));
                Assert.True(Model.AsSpan(block * BlockBytes, BlockBytes).SequenceEqual(content.AsSpan(0, BlockBytes)), $"block {block}");
            }
        }

        /// <summary>What each member holds of each stripe is what the layout says.</summary>
        public async Task CheckParityAsync()
        {
            for (var stripe = 0; stripe < StripeCount; stripe++)
            {
                for (var member = 0; member < layout.MemberCount; member++)
                {
                    var held = new byte[chunkBytes];
                    await memory[member].ReadAsync(new Lba(stripe * chunkBytes / BlockBytes), held);
                    Assert.True(Expected(stripe, member).AsSpan().SequenceEqual(held), $"stripe {stripe}, member {member}");
                }
            }
        }

        /// <summary>Gives lost members what they should hold.</summary>
        public async Task RebuildAsync(int[] lost)
        {
            foreach (var member in lost)
                for (var stripe = 0; stripe < StripeCount; stripe++)
                    await memory[member].WriteAsync(new Lba(stripe * chunkBytes / BlockBytes), Expected(stripe, member));
        }

        byte[] Expected(int stripe, int member)
        {
            var data = new ReadOnlyMemory<byte>[layout.DataPerStripe];
            for (var i = 0; i < data.Length; i++) data[i] = Model.AsMemory((int)layout.ChunkOf(stripe, i) * chunkBytes, chunkBytes);
            var (role, p, q) = (layout.RoleOf(stripe, member), new byte[chunkBytes], new byte[chunkBytes]);
            if (role.Kind == ChunkKind.Data) return data[role.Index].ToArray();
            ParityCode.Instance.ComputePQ(data, p, q);
            return role.Kind == ChunkKind.P ? p : q;
        }
    }
}
