using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>What a set of range tombstones says, against looking at each of them.</summary>
public sealed class RangeTombstonesTests
{
    const int Keys = 12, Newest = 30;

    [Theory, Seeds(count: 40)]
    public void A_set_finds_what_a_look_at_each_finds(ulong seed)
    {
        var random = new SeededRandom(seed);
        var all = new List<RangeTombstone>();
        for (var sequence = 2UL; sequence < Newest; sequence++)
        {
            var start = random.OneIn(4) ? 0 : random.Next(Keys);
            var end = random.OneIn(6) ? (int?)null : start + random.Next(1, Keys);
            if (random.OneIn(2)) all.Add(new(Key(start), end is { } there ? Key(there) : null, sequence));
        }

        var set = RangeTombstones.Of(all.OrderBy(_ => random.NextUInt64()));
        if (set is null) return;
        Assert.Equal(all.Select(one => one.Sequence), set.All.ToArray().Select(one => one.Sequence));
        for (var number = -1; number <= (2 * Keys) + 1; number++)
        {
            byte[] key = number < 0 ? [0] : Key(number);
            foreach (var probe in new[] { key, [.. key, 0] })
            {
                var covering = all.Where(one => one.Covers(probe)).Select(one => one.Sequence).ToArray();
                var stretch = set.StretchOf(probe);
                Assert.True(stretch.Holds(probe));
                Assert.Equal(covering.Length > 0, stretch.IsCovered);
                for (var sequence = 0UL; sequence <= Newest; sequence++)
                {
                    Assert.Equal(covering.Where(one => one <= sequence).DefaultIfEmpty().Max(), set.NewestCovering(probe, sequence));
                    Assert.Equal(
                        covering.Where(one => one > sequence).DefaultIfEmpty(ulong.MaxValue).Min(), stretch.OldestAfter(sequence));
                }
            }
        }

        for (var round = 0; round < 50; round++)
        {
            var (smallest, after) = (random.Next(Keys), (ulong)random.Next(Newest));
            var (largest, upTo) = (smallest + random.Next(Keys), after + (ulong)random.Next(Newest));
            var areCovered = true;
            for (var number = smallest; number <= largest; number++)
            {
                byte[][] probes = number == largest ? [Key(number)] : [Key(number), [.. Key(number), 0]];
                areCovered &= probes.All(probe => all.Exists(one => one.Covers(probe) && one.Sequence > after && one.Sequence <= upTo));
            }

            Assert.Equal(areCovered, set.CoverAll(Key(smallest), Key(largest), after, upTo));
        }
    }

    [Theory, Seeds(count: 3)]
    public void Hundreds_that_overlap_are_found_as_a_look_at_each_finds_them(ulong seed)
    {
        const int Count = 700;
        var random = new SeededRandom(seed);
        RangeTombstone[] all = [.. Enumerable.Range(1, Count).Select(number => Wide((ulong)number * 3))];
        var set = RangeTombstones.Of(all)!;
        for (var number = 0; number < 1200; number += 3)
        {
            var key = Wider(number);
            var covering = all.Where(one => one.Covers(key)).Select(one => one.Sequence).ToArray();
            var stretch = set.StretchOf(key);
            Assert.Equal(covering.Length > 0, stretch.IsCovered);
            for (var round = 0; round < 20; round++)
            {
                var sequence = round == 0 ? 0UL : (ulong)random.Next((Count * 3) + 3);
                Assert.Equal(covering.Where(one => one <= sequence).DefaultIfEmpty().Max(), stretch.NewestUpTo(sequence));
                Assert.Equal(covering.Where(one => one > sequence).DefaultIfEmpty(ulong.MaxValue).Min(), stretch.OldestAfter(sequence));
            }
        }

        RangeTombstone Wide(ulong sequence)
        {
            var start = random.Next(1000);
            return new(Wider(start), random.OneIn(50) ? null : Wider(start + random.Next(1, random.OneIn(2) ? 20 : 1000)), sequence);
        }
    }

    [Theory, InlineData("nested"), InlineData("staircase"), InlineData("from"), InlineData("scattered")]
    public void Thousands_that_overlap_take_little_memory(string shape)
    {
        const int Count = 8192;
        var random = new SeededRandom(1);
        RangeTombstone[] all =
        [
            .. Enumerable.Range(0, Count).Select(number => shape switch
            {
                "nested" => One(number, (2 * Count) - number, number),
                "staircase" => One(number, number + (Count / 2), number),
                "from" => One(number, null, number),
                _ => Scattered(number),
            }),
        ];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var set = RangeTombstones.Of(all)!;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, Count * 1000L);
        for (var number = 0; number < 2 * Count; number += 509)
        {
            var key = Wider(number);
            var covering = all.Where(one => one.Covers(key)).Select(one => one.Sequence).ToArray();
            var middle = covering.Order().ElementAtOrDefault(covering.Length / 2);
            Assert.Equal(covering.DefaultIfEmpty().Max(), set.NewestCovering(key, ulong.MaxValue));
            Assert.Equal(covering.DefaultIfEmpty(ulong.MaxValue).Min(), set.StretchOf(key).OldestAfter(0));
            Assert.Equal(middle, set.NewestCovering(key, middle));
        }

        RangeTombstone Scattered(int number)
        {
            var start = random.Next(Count);
            return One(start, start + 1 + random.Next(Count), number);
        }

        static RangeTombstone One(int start, int? end, int number) =>
            new(Wider(start), end is { } there ? Wider(there) : null, (ulong)number + 1);
    }

    [Fact]
    public void Thousands_that_end_one_behind_the_other_take_little_memory_and_time()
    {
        const int Count = 20_000;
        var all = Enumerable.Range(1, Count).Select(number => new RangeTombstone([0], TestStore.Bytes($"{number:d8}"), (ulong)number));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var set = RangeTombstones.Of(all)!;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, Count * 1000L);
        Assert.Equal((ulong)Count, set.NewestCovering("00000001"u8, ulong.MaxValue));
        Assert.Equal(5001UL, set.StretchOf("00005000"u8).OldestAfter(0));
        Assert.Equal(0UL, set.NewestCovering("00020000"u8, ulong.MaxValue));
    }

    static byte[] Wider(int number) => TestStore.Bytes($"{number:d6}");

    static byte[] Key(int number) => TestStore.Bytes($"{number:d2}");
}
