using System.Numerics;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Volumes.Tests;

/// <summary>Chunks are given out once, and come back.</summary>
public sealed class ChunkSpaceTests(ITestOutputHelper output)
{
    const int Usable = 1000 - MapLayout.ReservedChunks;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Ranges_of_which_none_is_given_out_agree_with_a_plain_set(ulong seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new SeededRandom(seed);
        for (var round = 0; round < 300; round++)
        {
            var space = new ChunkSpace(1000);
            var owned = new HashSet<long>();
            var cursor = 0L;
            for (var i = random.Next(300); i > 0; i--) owned.Add(space.Take(MapLayout.ReservedChunks + random.Next(Usable), 0, ref cursor));
            var first = MapLayout.ReservedChunks + random.Next(Usable);
            var end = first + 1 + random.Next(800);
            var inside = owned.LongCount(chunk => chunk >= first && chunk < end);
            var others = Usable - (Math.Min(end, 1000) - first) - (owned.Count - inside);
            var range = space.TryBar(first, end, instead: null, out var missing);
            Assert.Equal(Math.Max(0, inside - others), missing);
            Assert.Equal(missing == 0, range is not null);
            if (range is null) continue;
            Assert.Equal((inside, others), (range.TakenCount, space.FreeChunks));
            var larger = new ChunkTables(1000 + random.Next(1000));
            space.Grow(larger, space.Prepare(larger));
            others += larger.ChunkCount - Math.Max(1000, Math.Min(end, larger.ChunkCount));
            Assert.Equal((inside, others), (range.TakenCount, space.FreeChunks));
            while (space.Take(0, 0, ref cursor) is not 0 and var chunk) Assert.True(owned.Add(chunk) && !(chunk >= first && chunk < end));
            Assert.Equal(-1, space.TakeWindow(0, ref cursor));
            space.Release([.. owned]);
            Assert.Equal((0L, larger.ChunkCount - MapLayout.ReservedChunks - range.IdleCount), (range.TakenCount, space.FreeChunks));
            if (random.OneIn(2)) range = space.TryBar(first, end + 10, instead: range, out _)!;
            space.Unbar(range);
            Assert.Equal(larger.ChunkCount - MapLayout.ReservedChunks, space.FreeChunks);
            for (var windows = (larger.ChunkCount / MapLayout.ChunksPerLeaf) - 1; windows > 0; windows--)
                Assert.NotEqual(-1, space.TakeWindow(0, ref cursor));
            Assert.Equal(-1, space.TakeWindow(0, ref cursor));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_sequences_agree_with_a_plain_set(ulong seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new SeededRandom(seed);
        var space = new ChunkSpace(1000);
        List<long> owned = [], committed = [], removed = [];
        var cursor = 0L;
        var target = 0; // Drifts between empty and full.
        for (var step = 0; step < 20_000; step++)
        {
            if (step % 500 == 0) target = random.Next(Usable + 1);
            if (owned.Count + committed.Count < target && random.OneIn(2)) Take();
            else if (random.OneIn(3)) LetGo();
            else if (random.OneIn(4)) Commit();
            Assert.Equal(Usable - owned.Count - committed.Count - removed.Count, space.FreeChunks);
            Assert.Equal(owned.Count + committed.Count, space.AllocatedChunks);
            Assert.Equal(removed.Count, space.QuarantinedChunks);
        }

        void Take()
        {
            var preferred = random.OneIn(2) ? random.Next(1010) : 0;
            var slot = random.Next(MapLayout.ChunksPerLeaf);
            HashSet<long> used = [.. owned, .. committed, .. removed];
            var chunk = space.Take(preferred, slot, ref cursor);
            if (used.Count == Usable)
            {
                Assert.Equal(0, chunk);
                return;
            }

            Assert.InRange(chunk, MapLayout.ReservedChunks, 999);
            Assert.DoesNotContain(chunk, used);
            if (preferred is >= MapLayout.ReservedChunks and < 1000 && !used.Contains(preferred)) Assert.Equal(preferred, chunk);
            else if (FreeWindows(used).ToHashSet() is { Count: > 0 } windows) Assert.Contains(chunk - slot, windows);
            owned.Add(chunk);
        }

        // What no commit has seen goes back at once, everything else by way of the quarantine.
        void LetGo()
        {
            if (owned.Count > 0 && random.OneIn(2))
            {
                space.Release([TakeOut(owned)]);
            }
            else if (committed.Count > 0)
            {
                removed.Add(TakeOut(committed));
                space.Quarantine(1);
            }
        }

        void Commit()
        {
            foreach (var chunk in owned) space.Capture(0, chunk);
            foreach (var chunk in removed) space.Capture(chunk, 0);
            committed.AddRange(owned);
            owned.Clear();
            Assert.Equal(committed.Count, Enumerable.Range(0, space.GroupCount).Sum(group => CountCommitted(space, group)));
            space.ReleaseQuarantined([.. removed]);
            removed.Clear();
        }

        long TakeOut(List<long> from)
        {
            var i = random.Next(from.Count);
            var chunk = from[i];
            from.RemoveAt(i);
            return chunk;
        }
    }

    [Fact]
    public void Taking_from_ten_tebibytes_without_a_free_window_costs_a_few_words()
    {
        // Every window has its last chunk in use, but for the last windows of the device all chunks are: only far away, and
        // only scattered, there is room.
        const int groups = 10 * 1024;
        var space = new ChunkSpace((long)groups * MapLayout.ChunksPerGroup);
        for (var group = 0; group < groups - 1; group++) space.CommittedWords(group).Fill(ulong.MaxValue);
        space.CommittedWords(groups - 1).Fill(0x8000_8000_8000_8000);
        space.CommittedWords(0)[0] &= ulong.MaxValue << MapLayout.ReservedChunks;
        space.Loaded("test");
        var cursor = 0L;
        var before = space.WordsRead;
        const int takes = 1000;
        long most = 0;
        for (var i = 0; i < takes; i++)
        {
            var read = space.WordsRead;
            Assert.NotEqual(0, space.Take(preferred: cursor == 0 ? 0 : 5, slot: i % 16, ref cursor));
            most = Math.Max(most, space.WordsRead - read);
        }

        output.WriteLine($"{(double)(space.WordsRead - before) / takes} words per chunk, at most {most}");
        Assert.InRange(most, 1, 4 * 2 * 5);
    }

    [Fact]
    public void Searches_for_a_free_window_go_on_behind_the_last_one_and_come_round()
    {
        const int window = MapLayout.ChunksPerLeaf;
        var space = new ChunkSpace(10 * window);
        var cursor = 0L;
        // The first is not all free.
        for (var i = 1; i < 10; i++) Assert.Equal((i * window) + 3, space.Take(preferred: 0, slot: 3, ref cursor));
        space.Release([window + 3]);
        space.Release([(5 * window) + 3]);
        cursor = 4 * window;
        Assert.Equal((5 * window) + 3, space.Take(preferred: 0, slot: 3, ref cursor));
        Assert.Equal(window + 3, space.Take(preferred: 0, slot: 3, ref cursor));
    }

    [Fact]
    public void Chunks_that_do_not_exist_cannot_be_in_use()
    {
        foreach (var chunk in new[] { 0L, 1, 1000, 16_383 })
        {
            var space = new ChunkSpace(1000);
            space.CommittedWords(0)[(int)(chunk / 64)] |= 1UL << (int)(chunk % 64);
            Assert.Throws<CorruptDataException>(() => space.Loaded("test"));
        }
    }

    [Fact]
    public void What_a_captured_leaf_owns_is_not_given_back()
    {
        var space = new ChunkSpace(1000);
        var cursor = 0L;
        var chunk = space.Take(0, 0, ref cursor);
        space.Capture(0, chunk);
        space.Quarantine(1);
        Assert.Throws<InvariantException>(() => space.ReleaseQuarantined([chunk]));
    }

    static IEnumerable<long> FreeWindows(HashSet<long> used)
    {
        for (long window = MapLayout.ChunksPerLeaf; window + MapLayout.ChunksPerLeaf <= 1000; window += MapLayout.ChunksPerLeaf)
            if (Enumerable.Range(0, MapLayout.ChunksPerLeaf).All(slot => !used.Contains(window + slot))) yield return window;
    }

    static int CountCommitted(ChunkSpace space, int group)
    {
        var count = 0;
        foreach (var word in space.CommittedWords(group)) count += BitOperations.PopCount(word);
        return count;
    }

    [Theory]
    [InlineData(1000, 1001)]
    [InlineData(1000, 1024)]
    [InlineData(1000, 3 * MapLayout.ChunksPerGroup + 5)]
    [InlineData(MapLayout.ChunksPerGroup, MapLayout.ChunksPerGroup + 1)]
    public void What_is_added_is_free_and_what_is_taken_stays_taken(long before, long after)
    {
        var space = new ChunkSpace(before);
        var cursor = 0L;
        HashSet<long> taken = [];
        for (var i = 0; i < 700; i++) taken.Add(space.Take(0, 0, ref cursor));
        space.Capture(0, taken.First());
        space.Quarantine(100); // Of those that are taken.
        using var reservation = space.TryReserve(50)!;
        var (free, allocated) = (space.FreeChunks, space.AllocatedChunks);

        var (words, larger) = (space.WordsRead, new ChunkTables(after));
        space.Grow(larger, space.Prepare(larger));
        Assert.Equal(words, space.WordsRead); // Counters never fall.
        Assert.Equal(after, space.ChunkCount);
        Assert.Equal(free + after - before, space.FreeChunks);
        Assert.Equal(allocated, space.AllocatedChunks);
        Assert.Equal(100, space.QuarantinedChunks);
        Assert.Equal(1UL << (int)(taken.First() % 64), space.CommittedWords(0)[(int)(taken.First() / 64)]);
        for (var left = space.FreeChunks; left > 0; left--) Assert.True(taken.Add(space.Take(0, 0, ref cursor)), "given out twice");
        Assert.Equal(0, space.Take(0, 0, ref cursor));
        for (var left = 50; left > 0; left--) Assert.True(taken.Add(space.Take(0, 0, ref cursor, reservation)), "given out twice");
        Assert.Equal(after - 1, taken.Max());
        Assert.Equal(after - MapLayout.ReservedChunks, taken.Count);
    }
}
