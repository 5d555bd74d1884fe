using Ashlar.KeyValue.Sharding;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Planning.Tests;

public sealed class SkewTests
{
    static readonly SkewScenario Small = new() { Keys = 20_000, Operations = 200_000, Partitions = 16 };

    public static TheoryData<PlacementRule, KeyDistribution> All()
    {
        var all = new TheoryData<PlacementRule, KeyDistribution>();
        foreach (var rule in Enum.GetValues<PlacementRule>())
        {
            foreach (var distribution in Enum.GetValues<KeyDistribution>()) all.Add(rule, distribution);
        }

        return all;
    }

    [Theory, MemberData(nameof(All))]
    public void Equal_seeds_give_equal_reports_and_no_operation_is_lost(PlacementRule rule, KeyDistribution distribution)
    {
        var scenario = Small with { Rule = rule, Distribution = distribution, Seed = 7 };
        var (one, two) = (SkewSimulation.Run(scenario), SkewSimulation.Run(scenario));
        Assert.Equal(one.Partitions, two.Partitions);
        Assert.Equal((one.MaxToMean, one.Variation, one.MovedShare, one.HottestKeyShare), (two.MaxToMean, two.Variation, two.MovedShare, two.HottestKeyShare));
        Assert.Equal(scenario.Operations, one.Partitions.Sum(partition => partition.Operations));
        Assert.Equal(scenario.Keys, one.Partitions.Sum(partition => partition.Keys));
        if (distribution != KeyDistribution.Time)
            Assert.NotEqual(one.Partitions, SkewSimulation.Run(scenario with { Seed = 8 }).Partitions);
    }

    [Theory, Seeds(count: 20)]
    public void Consistent_hashing_and_rendezvous_move_about_one_nth_and_only_to_the_new_node(ulong seed)
    {
        var nodes = new SeededRandom(seed).Next(2, 40);
        (IPlacement Before, IPlacement After, double Slack)[] rules =
        [
            (new RingPlacement(nodes, 256), new RingPlacement(nodes + 1, 256), 0.35),
            (new RendezvousPlacement(nodes), new RendezvousPlacement(nodes + 1), 0.1),
        ];
        foreach (var (before, after, slack) in rules)
        {
            var moved = 0;
            const int Keys = 50_000;
            for (var i = 0; i < Keys; i++)
            {
                var key = (long)(seed * 1_000_003) + i;
                if (before.Place(key) == after.Place(key)) continue;
                moved++;
                Assert.Equal(nodes, after.Place(key));
            }

            var ideal = 1.0 / (nodes + 1);
            Assert.InRange(moved / (double)Keys, ideal * (1 - slack), ideal * (1 + slack));
        }
    }

    [Theory, Seeds(count: 10)]
    public void What_a_join_moves_is_known_of_each_rule(ulong seed)
    {
        var scenario = Small with { Partitions = new SeededRandom(seed).Next(4, 64), Seed = seed };
        double Moved(PlacementRule rule) => SkewSimulation.Run(scenario with { Rule = rule, Operations = 1000 }).MovedShare;
        Assert.InRange(Moved(PlacementRule.Hash), 0.47, 0.53); // Scaling moves half, on average over all places.
        Assert.Equal(scenario.Partitions / (scenario.Partitions + 1.0), Moved(PlacementRule.Modulo), 0.02);
        Assert.Equal(0.5 / scenario.Partitions, Moved(PlacementRule.Range), 0.001);
    }

    [Fact]
    public void Times_fill_the_last_range_and_no_other()
    {
        var report = SkewSimulation.Run(Small with { Rule = PlacementRule.Range, Distribution = KeyDistribution.Time });
        Assert.Equal((16, "hot spot"), (report.MaxToMean, report.Verdict));
        Assert.Equal(Small.Operations, report.Partitions[15].Operations);
        Assert.Equal("even", SkewSimulation.Run(Small with { Rule = PlacementRule.Hash, Distribution = KeyDistribution.Time }).Verdict);
    }

    [Fact]
    public void A_celebrity_is_a_hot_spot_until_it_is_salted()
    {
        // 20 % for one key, and a sixteenth of the other 80 %: 0.25 of all, which is 4 times a sixteenth.
        var hot = SkewSimulation.Run(Small with { Distribution = KeyDistribution.Celebrity });
        Assert.Equal(4, hot.MaxToMean, 0.15);
        Assert.Equal(0.2, hot.HottestKeyShare, 0.005);
        var salted = SkewSimulation.Run(Small with { Distribution = KeyDistribution.Celebrity, Rule = PlacementRule.Salted });
        Assert.InRange(salted.MaxToMean, 1, 1.15);
        var four = SkewSimulation.Run(Small with { Distribution = KeyDistribution.Celebrity, Rule = PlacementRule.Salted, Salts = 4 });
        Assert.InRange(four.MaxToMean, 1.5, 1.8); // 0.05 + 0.05 of all, 1.6 times a sixteenth.
    }

    [Fact]
    public void The_first_key_of_zipf_takes_its_share()
    {
        // s = 1 over 3 keys: 1, 1/2, 1/3 of 11/6: 54.5 %.
        var report = SkewSimulation.Run(new() { Distribution = KeyDistribution.Zipf, ZipfExponent = 1, Keys = 3, Partitions = 3, Rule = PlacementRule.Range, Operations = 100_000 });
        Assert.Equal(6 / 11.0, report.HottestKeyShare, 0.01);
        Assert.Equal([18_182, 27_273, 54_545], report.Partitions.Select(partition => partition.Operations).Order(), Near(600));
    }

    [Fact]
    public void More_virtual_nodes_spread_better() =>
        Assert.True(
            SkewSimulation.Run(Small with { Rule = PlacementRule.Ring, VirtualNodes = 512 }).Variation
            < SkewSimulation.Run(Small with { Rule = PlacementRule.Ring, VirtualNodes = 4 }).Variation);

    [Theory, Seeds(count: 5)]
    public void Hash_puts_every_key_where_the_sharded_store_puts_it(ulong seed)
    {
        var random = new SeededRandom(seed);
        var shards = random.Next(2, 20);
        using var store = ShardedKeyValueStore.Open("/store", new() { ShardCount = shards, Store = new() { FileSystem = new SimulatedFileSystem(isRecording: false), Entropy = new SeededEntropy(seed) } });
        for (var i = 0; i < 2000; i++)
        {
            var key = random.Bytes(random.Next(1, 40));
            Assert.Equal(store.GetShard(key), KeyPlace.Of(key, shards));
        }

        var placement = new HashPlacement(shards, isModulo: false);
        for (long i = 0; i < 1000; i++)
        {
            var key = new byte[8];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(key, i);
            Assert.Equal(store.GetShard(key), placement.Place(i));
        }
    }

    [Theory]
    [InlineData("partitions", 0, 100, 100)]
    [InlineData("partitions", 1025, 2000, 100)]
    [InlineData("keys", 10, 9, 100)]
    [InlineData("keys", 10, 1_000_001, 100)]
    [InlineData("operations", 10, 100, 0)]
    public void A_number_that_makes_no_plan_is_named(string input, int partitions, int keys, int operations) =>
        Assert.Equal(input, Assert.Throws<PlanException>(() => SkewSimulation.Run(new() { Partitions = partitions, Keys = keys, Operations = operations })).Input);

    [Fact]
    public void Options_of_a_rule_have_their_limits()
    {
        (string, SkewScenario)[] bad =
        [
            ("zipf", Small with { ZipfExponent = 0 }),
            ("celebrity", Small with { CelebrityShare = 0 }),
            ("virtual-nodes", Small with { VirtualNodes = 0 }),
            ("hot-keys", Small with { HotKeys = Small.Keys + 1 }),
            ("salts", Small with { Salts = 17 }),
        ];
        foreach (var (input, scenario) in bad) Assert.Equal(input, Assert.Throws<PlanException>(() => SkewSimulation.Run(scenario)).Input);
    }

    static EqualityComparer<long> Near(long slack) => EqualityComparer<long>.Create((a, b) => Math.Abs(a - b) <= slack, _ => 0);
}
