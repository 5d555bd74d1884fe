using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Volumes.Tests;

/// <summary>Which leaves were changed is found page by page, whatever generations they were changed in.</summary>
public sealed class ChangedLeafListTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(1 << 16)]
    public void Each_leaf_of_some_generations_is_listed_once_and_in_order(int pageLeaves)
    {
        using var store = TestPool.OpenStore(new SimulatedFileSystem(isRecording: false));
        var random = new SeededRandom(TestSeeds.Several(nameof(ChangedLeafListTests), 1)[0]);
        var changed = new HashSet<(long Generation, long Leaf)>();
        for (var i = 0; i < 300; i++)
        {
            var (generation, leaf) = (2L + random.Next(9), (long)random.Next(200));
            changed.Add((generation, leaf));
            store.Put(MapKeys.Change(7, generation, leaf), []);
            store.Put(MapKeys.Change(6 + (2 * random.Next(2)), generation, 1000 + leaf), []); // Of other volumes.
        }

        var list = new ChangedLeafList(range => store.Scan(range), pageLeaves);
        foreach (var ranges in ((long After, long UpTo)[][])[[(0, 100)], [(3, 4)], [(1, 2), (5, 8)], [(4, 4)], [(50, 60)]])
        {
            var expected = changed.Where(each => ranges.Any(range => each.Generation > range.After && each.Generation <= range.UpTo))
                .Select(each => each.Leaf).Distinct().Order();
            Assert.Equal(expected, list.Read(7, ranges));
        }
    }
}
