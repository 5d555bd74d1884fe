using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>How a walk over a memtable gets past what ranges have deleted that were deleted in it.</summary>
public sealed class NewerEntriesTests
{
    const int Keys = 200, Entries = 1500;

    [Theory, Seeds(count: 12)]
    public unsafe void The_next_entry_that_is_not_older_is_that_of_a_walk_over_all(ulong seed)
    {
        var random = new SeededRandom(seed);
        var tracked = 1 + (ulong)random.Next(Entries);
        var shape = random.Next(4);
        var list = new SkipList();
        for (var sequence = 1UL; sequence <= Entries; sequence++)
        {
            if (sequence == tracked) list.TrackNewest();
            var key = shape switch { 0 => (int)sequence, 1 => Entries - (int)sequence, 2 => random.Next(5), _ => random.Next(Keys) };
            list.Insert(Key(key), sequence, EntryKind.Put, []);
        }

        for (var round = 0; round < 400; round++)
        {
            var sequence = tracked + (ulong)random.Next(Entries - (int)tracked + 2);
            var key = random.OneIn(4) ? null : Key(random.Next(Entries));
            RequireSame(list, random.Next(Entries), sequence, key);
        }

        list.Free();
    }

    [Theory, Seeds(count: 12)]
    public void A_walk_finds_what_no_range_covers_that_the_reader_sees(ulong seed)
    {
        var random = new SeededRandom(seed);
        var table = new MemTable();
        var ranges = new List<RangeTombstone>();
        var written = new List<(int Key, ulong Sequence)>();
        for (var sequence = 1UL; sequence <= Entries; sequence++)
        {
            if (random.OneIn(30))
            {
                var start = random.Next(Keys);
                ranges.Add(new(random.OneIn(5) ? [] : Key(start), random.OneIn(5) ? null : Key(start + random.Next(1, 60)), sequence));
                table.Add(ranges[^1]);
                continue;
            }

            written.Add((random.Next(Keys), sequence));
            table.Add(Key(written[^1].Key), sequence, EntryKind.Put, []);
        }

        for (var round = 0; round < 20; round++)
        {
            var reader = round == 0 ? Entries : 1 + (ulong)random.Next(Entries);
            ulong[] expected =
            [
                .. written.Where(entry => !ranges.Exists(
                        range => range.Sequence <= reader && range.Sequence > entry.Sequence && range.Covers(Key(entry.Key))))
                    .OrderBy(entry => entry.Key).ThenByDescending(entry => entry.Sequence).Select(entry => entry.Sequence),
            ];
            var walk = new UncoveredIterator(new MemTableIterator(table), [table.Ranges!], reader);
            var found = new List<ulong>();
            for (walk.SeekToFirst(); walk.IsValid; walk.Next()) found.Add(walk.Sequence);
            Assert.Equal(expected, found);
            found.Clear();
            for (walk.SeekToLast(); walk.IsValid; walk.Previous()) found.Insert(0, walk.Sequence);
            Assert.Equal(expected, found);
        }

        table.Release();
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_head_of_a_queue_that_is_trimmed_by_ranges_is_a_few_steps_away(bool isForward)
    {
        const int Rounds = 300, PerRound = 100, Left = 5;
        var table = new MemTable();
        var sequence = 0UL;
        for (var round = 0; round < Rounds; round++)
        {
            var first = round * PerRound;
            for (var number = first; number < first + PerRound; number++) table.Add(KeyOf(number), ++sequence, EntryKind.Put, []);
            table.Add(
                isForward
                    ? new RangeTombstone([], KeyOf(first + PerRound - Left), ++sequence)
                    : new RangeTombstone(KeyOf(first + PerRound - Left - 1), null, ++sequence));
        }

        var source = new MemTableIterator(table);
        var walk = new UncoveredIterator(source, [table.Ranges!], sequence);
        if (isForward) walk.SeekToFirst();
        else walk.SeekToLast();
        Assert.Equal(KeyOf((Rounds * PerRound) - Left), walk.Key.ToArray());
        Assert.InRange(walk.Passes, 1, 20);
        Assert.InRange(source.PassingMoves, 1, 1500); // Of 30,000.
        table.Release();

        // From the end the keys descend as they are written.
        byte[] KeyOf(int number) => Key(isForward ? number : (Rounds * PerRound) - number);
    }

    [Fact]
    public void What_was_put_into_a_deleted_range_again_is_found_without_a_step_for_each_entry_around_it()
    {
        const int Count = 50_000;
        var table = new MemTable();
        for (var number = 0; number < Count; number++) table.Add(Key(number), 1 + (ulong)number, EntryKind.Put, []);
        table.Add(new RangeTombstone([], null, Count + 1));
        int[] again = [17, 30_000, 30_001, Count - 1];
        foreach (var (index, number) in again.Index()) table.Add(Key(number), (ulong)(Count + 2 + index), EntryKind.Put, []);
        var source = new MemTableIterator(table);
        var walk = new UncoveredIterator(source, [table.Ranges!], ulong.MaxValue);
        var found = new List<byte[]>();
        for (walk.SeekToFirst(); walk.IsValid; walk.Next()) found.Add(walk.Key.ToArray());
        for (walk.SeekToLast(); walk.IsValid; walk.Previous()) found.Add(walk.Key.ToArray());
        Assert.Equal([.. again.Select(Key), .. again.Reverse().Select(Key)], found);
        Assert.InRange(source.PassingMoves, 1, 2000);
        table.Release();
    }

    static unsafe void RequireSame(SkipList list, int skipped, ulong sequence, byte[]? key)
    {
        var node = list.First;
        for (; skipped > 0; skipped--) node = SkipList.NextOf(node);
        if (SkipList.SequenceOf(node) >= sequence) return; // Nobody passes over what is not older.
        var moves = 0L;
        if (key is null || SkipList.KeyOf(node).SequenceCompareTo(key) < 0)
        {
            var expected = SkipList.NextOf(node);
            while (expected != null && SkipList.SequenceOf(expected) < sequence
                && (key is null || SkipList.KeyOf(expected).SequenceCompareTo(key) < 0))
            {
                expected = SkipList.NextOf(expected);
            }

            Assert.True(expected == list.FindNotOlder(node, sequence, key, ref moves));
        }

        if (key is not null && SkipList.KeyOf(node).SequenceCompareTo(key) < 0) return;
        byte* last = null;
        for (var other = list.First; other != node; other = SkipList.NextOf(other))
        {
            var isInside = key is null || SkipList.KeyOf(other).SequenceCompareTo(key) >= 0;
            if (isInside && SkipList.SequenceOf(other) >= sequence) last = other;
        }

        Assert.True(last == list.FindLastNotOlder(node, sequence, key, ref moves));
    }

    static byte[] Key(int number) => TestStore.Bytes($"{number:d6}");
}
