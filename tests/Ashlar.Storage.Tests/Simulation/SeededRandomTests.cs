using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests.Simulation;

public sealed class SeededRandomTests
{
    [Fact]
    public void The_sequence_is_that_of_SplitMix64()
    {
        // Reference values of the published algorithm for seed 1234567.
        var random = new SeededRandom(1234567);
        Assert.Equal(6457827717110365317UL, random.NextUInt64());
        Assert.Equal(3203168211198807973UL, random.NextUInt64());
        Assert.Equal(9817491932198370423UL, random.NextUInt64());
    }

    [Theory, Seeds(count: 10)]
    public void Numbers_stay_within_their_bounds(ulong seed)
    {
        var random = new SeededRandom(seed);
        var seen = new HashSet<int>();
        for (var i = 0; i < 1000; i++)
        {
            seen.Add(random.Next(-3, 4));
            Assert.InRange(random.NextDouble(), 0, 0.9999999999999999);
        }

        Assert.Equal([-3, -2, -1, 0, 1, 2, 3], seen.Order());
    }

    [Theory, Seeds(count: 5)]
    public void Equal_seeds_give_equal_bytes(ulong seed)
    {
        var first = new byte[77];
        var second = new byte[77];
        new SeededEntropy(seed).Fill(first);
        new SeededEntropy(seed).Fill(second);
        Assert.Equal(first, second);
        Assert.NotEqual(new SeededRandom(seed + 1).Bytes(77), first);
        Assert.NotEqual(SeededRandom.For(seed, "disk").NextUInt64(), SeededRandom.For(seed, "clock").NextUInt64());
    }

    [Fact]
    public void Shuffling_keeps_every_value()
    {
        var values = Enumerable.Range(0, 100).ToArray();
        new SeededRandom(3).Shuffle(values.AsSpan());
        Assert.NotEqual(Enumerable.Range(0, 100), values);
        Assert.Equal(Enumerable.Range(0, 100), values.Order());
    }

    [Fact]
    public void Seeds_are_fixed_and_differ_from_test_to_test()
    {
        var one = new SeedsAttribute(3).GetData(GetType().GetMethod(nameof(Equal_seeds_give_equal_bytes))!).ToArray();
        var again = new SeedsAttribute(3).GetData(GetType().GetMethod(nameof(Equal_seeds_give_equal_bytes))!).ToArray();
        var other = new SeedsAttribute(3).GetData(GetType().GetMethod(nameof(Numbers_stay_within_their_bounds))!).ToArray();
        Assert.Equal(one, again);
        Assert.NotEqual(one[0], other[0]);
    }
}
