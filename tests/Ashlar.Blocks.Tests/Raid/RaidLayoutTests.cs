using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid;

/// <summary>Every chunk has its place, no two have the same, and what is lost with members is what the level promises.</summary>
public sealed class RaidLayoutTests
{
    public static TheoryData<int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int>();
            foreach (var level in Enum.GetValues<RaidLevel>())
            {
                for (var members = RaidLayout.LeastMembers(level); members <= 9; members++)
                    if (level != RaidLevel.Raid10 || members % 2 == 0) shapes.Add((int)level, members);
                shapes.Add((int)level, RaidLayout.MaxMembers);
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Members_and_roles_agree_and_each_chunk_of_a_stripe_has_one_role(int level, int members)
    {
        var layout = new RaidLayout((RaidLevel)level, members);
        Assert.Equal(members, (layout.DataPerStripe * layout.Copies) + layout.ParityPerStripe);
        for (long stripe = 0; stripe < 3 * members; stripe++)
        {
            var taken = new HashSet<int>();
            for (var index = 0; index < layout.DataPerStripe; index++)
            {
                for (var copy = 0; copy < layout.Copies; copy++)
                {
                    var member = layout.MemberOfData(stripe, index, copy);
                    Assert.True(taken.Add(member));
                    Assert.Equal(new ChunkRole(ChunkKind.Data, index), layout.RoleOf(stripe, member));
                }
            }

            if (layout.ParityPerStripe > 0) Check(layout.MemberOfP(stripe), ChunkKind.P);
            if (layout.ParityPerStripe > 1) Check(layout.MemberOfQ(stripe), ChunkKind.Q);
            Assert.Equal(members, taken.Count);

            void Check(int member, ChunkKind kind)
            {
                Assert.True(taken.Add(member));
                Assert.Equal(new ChunkRole(kind), layout.RoleOf(stripe, member));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Chunks_of_the_device_follow_each_other_through_the_stripes(int level, int members)
    {
        var layout = new RaidLayout((RaidLevel)level, members);
        for (long chunk = 0; chunk < 5 * members; chunk++)
        {
            var (stripe, index) = layout.Locate(chunk);
            Assert.Equal(chunk, layout.ChunkOf(stripe, index));
            Assert.Equal((chunk / layout.DataPerStripe, chunk % layout.DataPerStripe), (stripe, index));
        }

        var last = layout.Locate(long.MaxValue);
        Assert.Equal(long.MaxValue, layout.ChunkOf(last.Stripe, last.Index));
        _ = layout.MemberOfData(last.Stripe, last.Index);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Parity_and_data_are_spread_evenly_and_as_many_chunks_as_members_keep_all_of_them_busy(int level, int members)
    {
        var layout = new RaidLayout((RaidLevel)level, members);
        if (layout.ParityPerStripe == 0) return;
        var parities = new int[members];
        for (long stripe = 0; stripe < members; stripe++)
            for (var member = 0; member < members; member++)
                if (layout.RoleOf(stripe, member).Kind != ChunkKind.Data) parities[member]++;
        Assert.All(parities, count => Assert.Equal(layout.ParityPerStripe, count));
        for (long first = 0; first < 2 * members; first++)
        {
            var places = Enumerable.Range(0, members).Select(i => layout.Locate(first + i));
            var busy = places.Select(place => layout.MemberOfData(place.Stripe, place.Index));
            // With one parity each member has one of them; with two the turn of the stripe leaves out one at the most.
            Assert.InRange(busy.Distinct().Count(), members - (layout.ParityPerStripe - 1), members);
        }
    }

    // By counting what is there, not by the rule that the layout goes by.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void What_survives_the_loss_of_members_is_what_can_be_had_from_the_others(int level, int members)
    {
        if (members > 9) return;
        var layout = new RaidLayout((RaidLevel)level, members);
        for (var losses = 0; losses < 1 << members; losses++)
        {
            var lost = Enumerable.Range(0, members).Where(member => (losses >> member & 1) != 0).ToHashSet();
            var isThere = Enumerable.Range(0, members).All(stripe =>
            {
                var left = Enumerable.Range(0, members).Where(member => !lost.Contains(member));
                var found = left.Select(member => layout.RoleOf(stripe, member)).Distinct().ToList();
                var data = found.Count(role => role.Kind == ChunkKind.Data);
                return data + found.Count(role => role.Kind != ChunkKind.Data) >= layout.DataPerStripe;
            });
            Assert.Equal(isThere, layout.Survives(lost));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(5, 2)]
    [InlineData(6, 3)]
    [InlineData(10, 2)]
    [InlineData(10, 5)]
    [InlineData(5, 65)]
    public void Too_few_members_too_many_and_halves_of_pairs_are_refused(int level, int members) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RaidLayout((RaidLevel)level, members));

    [Fact]
    public void The_layout_on_disk_is_the_one_of_the_documentation()
    {
        Assert.Equal(["D0 D1 D2 P", "D1 D2 P D0", "D2 P D0 D1", "P D0 D1 D2"], Rows(new(RaidLevel.Raid5, 4), 4));
        Assert.Equal(["Q D0 D1 D2 P", "D0 D1 D2 P Q", "D1 D2 P Q D0"], Rows(new(RaidLevel.Raid6, 5), 3));
        Assert.Equal(["D0 D0 D1 D1"], Rows(new(RaidLevel.Raid10, 4), 1));

        static IEnumerable<string> Rows(RaidLayout layout, int count) => Enumerable.Range(0, count).Select(stripe => string.Join(
            ' ',
            Enumerable.Range(0, layout.MemberCount).Select(member => layout.RoleOf(stripe, member)).Select(role =>
                role.Kind == ChunkKind.Data ? $"D{role.Index}" : role.Kind.ToString())));
    }
}
