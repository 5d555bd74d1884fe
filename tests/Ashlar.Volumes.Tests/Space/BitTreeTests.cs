using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A set of numbers that finds its next member in a few steps.</summary>
public sealed class BitTreeTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 2)]
    [InlineData(65, 3)]
    [InlineData(5000, 4)]
    [InlineData(300_000, 5)]
    public void It_holds_and_finds_what_a_plain_set_does(int size, ulong seed)
    {
        var random = new SeededRandom(seed);
        var tree = new BitTree(size);
        var plain = new SortedSet<long>();
        for (var step = 0; step < 4000; step++)
        {
            var number = random.Next(size);
            switch (random.Next(5))
            {
                case 0 or 1:
                    tree.Add(number);
                    plain.Add(number);
                    break;
                case 2:
                    var victim = plain.Count > 0 && random.OneIn(2) ? plain.Max : number;
                    tree.Remove(victim);
                    plain.Remove(victim);
                    break;
                case 3:
                    var word = random.OneIn(2) ? 0 : 1UL << random.Next(Math.Min(64, size));
                    tree.SetWord(0, word);
                    plain.RemoveWhere(each => each < 64);
                    for (var bit = 0; bit < 64; bit++)
                        if ((word >> bit & 1) != 0) plain.Add(bit);
                    break;
                default:
                    var view = plain.GetViewBetween(number, size);
                    Assert.Equal(view.Count == 0 ? -1 : view.Min, tree.FindNext(number));
                    Assert.Equal(plain.Contains(number), tree.Contains(number));
                    break;
            }
        }
    }

    [Fact]
    public void Beyond_its_end_there_is_nothing()
    {
        var tree = new BitTree(100);
        tree.Add(99);
        Assert.Equal(99, tree.FindNext(99));
        Assert.Equal(-1, tree.FindNext(100));
        Assert.Equal(-1, tree.FindNext(1000));
    }

    [Fact]
    public void However_far_the_next_member_is_it_is_found_in_two_words_per_level()
    {
        var tree = new BitTree(1L << 27);
        tree.Add((1L << 27) - 1);
        Assert.Equal((1L << 27) - 1, tree.FindNext(0));
        Assert.InRange(tree.WordsRead, 1, 2 * tree.Depth);
    }
}
