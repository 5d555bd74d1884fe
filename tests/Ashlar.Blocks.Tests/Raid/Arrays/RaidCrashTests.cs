using System.Buffers.Binary;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>
/// A set after a power cut at every point of a workload, with all of its members and with as few as it can do without: every block that
/// was flushed is what it was, every other one is old or new, and copies and parity belong together.
/// </summary>
public sealed class RaidCrashTests(ITestOutputHelper output)
{
    const int BlockBytes = 512, ChunkBytes = 4096, Stripes = 5;

    public static TheoryData<RaidLevel, int, int> Shapes => new()
    {
        { RaidLevel.Raid5, 3, TestTier.Choose(1300, 15_000) },
        { RaidLevel.Raid5, 4, TestTier.Choose(0, 5_000) },
        { RaidLevel.Raid6, 4, TestTier.Choose(1000, 15_000) },
        { RaidLevel.Raid6, 5, TestTier.Choose(0, 5_000) },
        { RaidLevel.Raid1, 2, TestTier.Choose(400, 5_000) },
        { RaidLevel.Raid1, 3, TestTier.Choose(0, 2_000) },
        { RaidLevel.Raid10, 4, TestTier.Choose(300, 5_000) },
    };

    [Theory, MemberData(nameof(Shapes))]
    public async Task What_was_flushed_survives_a_power_cut_and_then_the_loss_of_members(RaidLevel level, int members, int states)
    {
        var (distinct, losses, refusals) = (0, 0, 0);
        for (var seed = TestSeeds.First($"{nameof(RaidCrashTests)}{level}{members}"); distinct < states; seed++)
        {
            var run = new Run(level, members, PlantedBug.None, seed);
            var result = await run.ExploreAsync(Math.Min(2000, states), nestedOneIn: 40);
            output.WriteLine($"{seed}: {result}; {run.Losses} losses, {run.Refusals} of them refused");
            if (TestSeeds.Replayed is not null) return;
            distinct += result.Distinct;
            losses += run.Losses;
            refusals += run.Refusals;
        }

        // Only where whole stripes were on their way, and how often that is, is up to a scheduler; enough must be left to look at.
        Assert.True(refusals <= losses * 4 / 5, $"{refusals} of {losses}");
        Assert.True(level is RaidLevel.Raid5 or RaidLevel.Raid6 || refusals == 0);
    }

    [Theory]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.NoFlushOfTheJournal)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.InPlaceBeforeTheJournal)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.NoMarksOfRegions)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.ParityOfOldData)]
    [InlineData(RaidLevel.Raid6, 4, PlantedBug.InPlaceBeforeTheJournal)]
    [InlineData(RaidLevel.Raid1, 2, PlantedBug.NoMarksOfRegions)]
    public async Task A_planted_bug_is_found(RaidLevel level, int members, PlantedBug bug)
    {
        var run = new Run(level, members, bug, seed: bug == PlantedBug.ParityOfOldData ? 18UL : 17);
        await Assert.ThrowsAsync<CrashCheckException>(() => run.ExploreAsync(3000, nestedOneIn: 0));
    }

    [Theory]
    [InlineData(RaidLevel.Raid0, 2, PlantedBug.None)]
    [InlineData(RaidLevel.Raid1, 2, PlantedBug.None)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.None)]
    [InlineData(RaidLevel.Raid6, 4, PlantedBug.None)]
    [InlineData(RaidLevel.Raid10, 4, PlantedBug.None)]
    [InlineData(RaidLevel.Raid1, 2, PlantedBug.TailNotZeroed)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.TailNotZeroed)]
    [InlineData(RaidLevel.Raid1, 2, PlantedBug.TailNotFlushed)]
    [InlineData(RaidLevel.Raid6, 4, PlantedBug.TailNotFlushed)]
    public async Task A_set_that_grows_is_as_large_as_before_or_as_it_was_to_be(RaidLevel level, int members, PlantedBug bug)
    {
        var run = new Run(level, members, bug, seed: 31) { AddedStripes = 3 };
        if (bug != PlantedBug.None)
        {
            await Assert.ThrowsAsync<CrashCheckException>(() => run.ExploreAsync(2000, nestedOneIn: 0));
            return;
        }

        output.WriteLine($"{await run.ExploreAsync(TestTier.Choose(150, 3000), nestedOneIn: 30)}");
    }

    [Theory]
    [InlineData(RaidLevel.Raid1, 2, PlantedBug.None)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.None)]
    [InlineData(RaidLevel.Raid6, 4, PlantedBug.None)]
    [InlineData(RaidLevel.Raid1, 3, PlantedBug.GenerationNotRaised)]
    [InlineData(RaidLevel.Raid5, 3, PlantedBug.GenerationNotRaised)]
    public async Task A_member_that_failed_before_the_power_cut_is_not_believed(RaidLevel level, int members, PlantedBug bug)
    {
        var run = new Run(level, members, bug, seed: 23) { FailingMember = 1 };
        if (bug != PlantedBug.None)
        {
            await Assert.ThrowsAsync<CrashCheckException>(() => run.ExploreAsync(2000, nestedOneIn: 0));
            return;
        }

        var result = await run.ExploreAsync(TestTier.Choose(150, 3000), nestedOneIn: 30);
        output.WriteLine($"{result}");
    }

    sealed class Run(RaidLevel level, int members, PlantedBug bug, ulong seed)
    {
        readonly RaidLayout layout = new(level, members);

        public int FailingMember { get; init; } = -1;

        public int Losses { get; private set; }

        public int Refusals { get; private set; }

        /// <summary>By how much it grows on the way.</summary>
        public int AddedStripes { get; init; }

        int BlockCount => BlocksOf(Stripes);

        int LargestBlockCount => BlocksOf(Stripes + AddedStripes);

        int BlocksOf(int stripes) => stripes * layout.DataPerStripe * ChunkBytes / BlockBytes;

        public async Task<CrashExplorerResult> ExploreAsync(int states, int nestedOneIn)
        {
            var disk = new SimulatedFileSystem();
            var steps = Plan(new SeededRandom(seed));
            await WorkAsync(disk, steps);
            var options = new CrashExplorerOptions
            {
                Seed = seed,
                StateBudget = states,
                NestedOneIn = nestedOneIn,
                NestedBudget = 6,
                KilledOneIn = nestedOneIn,
                ExhaustiveLimit = 7,
                LongestFamily = 24,
            };
            return await CrashExplorer.ExploreAsync(
                disk, state => CheckAsync(state, steps), bug == PlantedBug.None ? options : options with { Replay = null });
        }

        List<Step> Plan(SeededRandom random)
        {
            List<Step> steps = [];
            var stripe = layout.DataPerStripe * ChunkBytes / BlockBytes;
            for (var i = 1; i <= 26; i++)
            {
                if (i == 15 && AddedStripes > 0) steps.Add(new Step(StepKind.Grow, 0, 0, 0));
                var blocks = i >= 15 ? LargestBlockCount : BlockCount;
                var start = random.Next(blocks);
                var count = 1 + random.Next(Math.Min(blocks - start, 20));
                if (i is > 8 and < 13) (start, count) = (random.Next(Stripes - 1) * stripe, stripe * random.Next(1, 3)); // Whole stripes.
                steps.Add(random.Next(10) switch
                {
                    < 6 => new Step(StepKind.Write, start, count, i),
                    6 => new Step(StepKind.DurableWrite, start, count, i),
                    7 => new Step(StepKind.Zero, start, count, 0),
                    _ => new Step(StepKind.Flush, 0, 0, 0),
                });
            }

            return steps;
        }

        async Task WorkAsync(SimulatedFileSystem disk, List<Step> steps)
        {
            var slot = layout.ParityPerStripe == 0 ? 0 : LeastSlot();
            var size = new MemberAreas(slot, 0).DataAt + (Stripes * ChunkBytes);
            var tail = AddedStripes * ChunkBytes;
            FileDevice[] files = [.. Enumerable.Range(0, members).Select(i => FileDevice.Create(disk, PathOf(i), size + tail, BlockBytes))];
            // What the set does not use yet may hold anything.
            for (var i = 0; i < files.Length && tail > 0; i++)
                await files[i].WriteAsync(new Lba(size / BlockBytes), Content(1000 * i, tail / BlockBytes, 77));
            FaultyDevice[] faulty = [.. files.Select((file, i) => new FaultyDevice(file, new SeededEntropy((ulong)i)))];
            PlantedDevice[] planted = [.. faulty.Select(file => new PlantedDevice(file, bug) { LimitBytes = size })];
            var array = await RaidArray.CreateAsync(planted, new RaidCreateOptions
            {
                Level = level,
                ChunkBytes = ChunkBytes,
                RegionBytes = 2 * ChunkBytes,
                Entropy = new SeededEntropy(seed),
            });
            Assert.Equal(BlockCount, array.Geometry.BlockCount);
            disk.RestartTrace();
            foreach (var device in planted) device.LimitBytes = null;
            foreach (var device in planted) device.Arm(new MemberAreas(slot, Stripes * ChunkBytes));
            for (var i = 0; i < steps.Count; i++)
            {
                if (FailingMember >= 0 && i == 6)
                    faulty[FailingMember].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error });
                disk.Mark(i);
                var (kind, start, count, version) = steps[i];
                switch (kind)
                {
                    case StepKind.Write:
                        await array.WriteAsync(new Lba(start), Content(start, count, version));
                        break;
                    case StepKind.DurableWrite:
                        await array.WriteAsync(new Lba(start), Content(start, count, version), WriteOptions.ForceUnitAccess);
                        break;
                    case StepKind.Grow:
                        await array.GrowAsync(LargestBlockCount);
                        break;
                    case StepKind.Zero:
                        await array.WriteZeroesAsync(new Lba(start), count);
                        break;
                    default:
                        await array.FlushAsync();
                        break;
                }
            }

            disk.Mark(steps.Count);
            await array.DisposeAsync();
            disk.Mark(steps.Count + 1);
        }

        long LeastSlot() => (StripeRecord.LongestBytes(layout, ChunkBytes) + JournalBatch.HeaderBytes + JournalBatch.Alignment - 1)
            / JournalBatch.Alignment * JournalBatch.Alignment;

        async Task CheckAsync(CrashState state, List<Step> steps)
        {
            var possible = Possible(state, steps);
            var (grows, begun) = (steps.FindIndex(step => step.Kind == StepKind.Grow), Begun(state));
            IBlockDevice[] files = [.. Enumerable.Range(0, members).Select(i => FileDevice.Open(state.Disk, PathOf(i), BlockBytes))];
            // A member that has failed, and is all that is left, does not know that it has.
            if (state.Depth == 1)
                foreach (var lost in Lost(new SeededRandom(state.Seed)).Where(lost => members - lost.Length > 1 || FailingMember < 0))
                    await CheckWithoutAsync(files, lost, possible);
            List<string> events = [];
            var array = await RaidArray.OpenAsync(files, new RaidOptions { Events = e => events.Add(e.Message) });
            await array.WaitForBackgroundAsync();
            Assert.True(array.State == RaidArrayState.Healthy, $"{array.State}: {string.Join("; ", events)}");
            var content = await CheckContentAsync(array, possible, "all members");
            if (grows < 0 || begun < grows) Assert.Equal(BlockCount, array.Geometry.BlockCount);
            else if (begun > grows) Assert.Equal(LargestBlockCount, array.Geometry.BlockCount);
            state.RecoveryDone();
            for (var copy = 0; copy < array.CopyCount; copy++)
            {
                var other = new byte[content.Length];
                Assert.True(await array.ReadCopyAsync(Lba.Zero, other, copy));
                var same = content.AsSpan().CommonPrefixLength(other);
                Assert.True(same == other.Length, $"copy {copy} differs from byte {same} on: {string.Join("; ", events)}");
            }

            await array.DisposeAsync();
        }

        async Task CheckWithoutAsync(IBlockDevice[] files, int[] lost, HashSet<ulong>[] possible)
        {
            Losses++;
            IBlockDevice[] layered = [.. files.Where((_, i) => !lost.Contains(i)).Select(file => new LayeredDevice(file))];
            try
            {
                await using var array = await RaidArray.OpenAsync(layered);
                await CheckContentAsync(array, possible, $"without {string.Join(", ", lost)}");
            }
            catch (RaidRefusedException refused) when (refused.Reason == RaidRefusal.UncleanAndDegraded
                || (refused.Reason == RaidRefusal.TooFewMembers && FailingMember >= 0 && !lost.Contains(FailingMember)))
            {
                // Whole stripes were on their way; or what is left besides the lost is a member that had failed.
                Refusals++;
            }
        }

        IEnumerable<int[]> Lost(SeededRandom random)
        {
            for (var first = 0; first < members; first++)
            {
                if (layout.Survives(new HashSet<int> { first })) yield return [first];
                for (var second = first + 1; second < members; second++)
                    if (layout.Survives(new HashSet<int> { first, second }) && random.OneIn(3)) yield return [first, second];
            }
        }

        async Task<byte[]> CheckContentAsync(RaidArray array, HashSet<ulong>[] possible, string what)
        {
            var blocks = (int)array.Geometry.BlockCount;
            Assert.Contains(blocks, new[] { BlockCount, LargestBlockCount });
            var content = new byte[blocks * BlockBytes];
            await array.ReadAsync(Lba.Zero, content);
            for (var block = 0; block < blocks; block++)
            {
                var words = content.AsSpan(block * BlockBytes, BlockBytes);
                var first = BinaryPrimitives.ReadUInt64LittleEndian(words);
                var isOne = possible[block].Contains(first);
                for (var at = 8; at < BlockBytes && isOne; at += 8) isOne = BinaryPrimitives.ReadUInt64LittleEndian(words[at..]) == first;
                Assert.True(isOne, $"{what}: block {block} is not what was flushed or written since");
            }

            return content;
        }

        HashSet<ulong>[] Possible(CrashState state, List<Step> steps)
        {
            var begun = Begun(state);
            var possible = Enumerable.Range(0, LargestBlockCount).Select(_ => new HashSet<ulong> { 0 }).ToArray();
            var last = new ulong[LargestBlockCount];
            for (var i = 0; i <= begun && i < steps.Count; i++)
            {
                var (kind, start, count, version) = steps[i];
                for (var block = start; block < start + count; block++) possible[block].Add(last[block] = WordOf(block, version));
                if (kind is not (StepKind.Flush or StepKind.DurableWrite) || i == begun) continue;
                // A durable write is a flush as well.
                for (var block = 0; block < possible.Length; block++) possible[block] = [last[block]];
            }

            return possible;
        }

        static int Begun(CrashState state) => state.Marks.Count == 0 ? -1 : state.Marks.Cast<int>().Max();

        static byte[] Content(int start, int count, int version)
        {
            var content = new byte[count * BlockBytes];
            for (var at = 0; at < content.Length; at += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan(at), WordOf(start + (at / BlockBytes), version));
            return content;
        }

        static ulong WordOf(int block, int version) =>
            version == 0 ? 0 : new SeededRandom(((ulong)version << 32) | (uint)block).NextUInt64();

        static string PathOf(int member) => $"/member{member}";
    }

    enum StepKind
    {
        Write,
        DurableWrite,
        Zero,
        Flush,
        Grow,
    }

    sealed record Step(StepKind Kind, int Start, int Count, int Version);
}
