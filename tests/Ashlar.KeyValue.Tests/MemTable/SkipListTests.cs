using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

public sealed class SkipListTests
{
    [Theory, Seeds(count: 5)]
    public unsafe void Entries_are_found_and_walked_in_order(ulong seed)
    {
        var random = new SeededRandom(seed);
        var model = new SortedDictionary<(int Key, ulong NewestFirst), byte[]>();
        var list = new SkipList();
        for (var sequence = 1UL; sequence <= 2000; sequence++)
        {
            var key = random.Next(300);
            var value = random.Bytes(random.Next(50));
            var older = list.Insert(Key(key), sequence, EntryKind.Put, value);
            var versions = model.Keys.Where(entry => entry.Key == key).Select(entry => ulong.MaxValue - entry.NewestFirst);
            Assert.Equal(versions.DefaultIfEmpty().Max(), older == null ? 0 : SkipList.SequenceOf(older));
            model.Add((key, ulong.MaxValue - sequence), value);
        }

        var node = list.First;
        foreach (var ((key, newestFirst), value) in model)
        {
            Assert.Equal(Key(key), SkipList.KeyOf(node).ToArray());
            Assert.Equal(ulong.MaxValue - newestFirst, SkipList.SequenceOf(node));
            Assert.Equal(value, SkipList.ValueOf(node).ToArray());
            node = SkipList.NextOf(node);
        }

        Assert.True(node == null);
        for (var i = 0; i < 300; i++)
        {
            var (key, sequence) = (random.Next(310), (ulong)random.Next(2100));
            var expected = model.Keys.Where(entry => entry.CompareTo((key, ulong.MaxValue - sequence)) >= 0).Take(1).ToArray();
            var found = list.FindAtLeast(Key(key), sequence);
            Assert.Equal(expected.Length == 0, found == null);
            if (found != null)
                Assert.Equal(
                    expected[0], (BinaryPrimitives.ReadInt32BigEndian(SkipList.KeyOf(found)), ulong.MaxValue - SkipList.SequenceOf(found)));
            var before = model.Keys.TakeWhile(entry => entry.CompareTo((key, ulong.MaxValue - sequence)) < 0).TakeLast(1).ToArray();
            found = list.FindBefore(Key(key), sequence);
            Assert.Equal(before.Length == 0, found == null);
            if (found != null)
                Assert.Equal(
                    before[0], (BinaryPrimitives.ReadInt32BigEndian(SkipList.KeyOf(found)), ulong.MaxValue - SkipList.SequenceOf(found)));
        }

        list.Free();
    }

    [Fact]
    public unsafe void An_empty_list_has_nothing()
    {
        var list = new SkipList();
        Assert.True(
            list.First == null && list.FindLast() == null && list.FindAtLeast("a"u8, 1) == null && list.FindBefore("a"u8, 1) == null);
        list.Free();
    }

    [Fact]
    public async Task Readers_see_only_whole_entries_in_order_while_one_thread_writes()
    {
        var list = new SkipList();
        var done = false;
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadUntil(list, () => Volatile.Read(ref done)))).ToArray();
        var random = new SeededRandom(1);
        for (var sequence = 1UL; sequence <= 30_000; sequence++)
        {
            Insert(list, Key(random.Next(1 << 20)), sequence);
        }

        Volatile.Write(ref done, true);
        foreach (var reader in readers) Assert.True(await reader > 0);
        list.Free();
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(100, 16)]
    [InlineData(50_000, 16)]
    public unsafe void A_sample_is_from_all_of_it_and_not_much_more_than_was_asked_for(int keys, int atLeast)
    {
        var list = new SkipList();
        for (var i = 0; i < keys; i++) Insert(list, Key((int)((long)i * 7919 % keys)), 1 + (ulong)i);
        var sample = list.Sample(atLeast);
        Assert.Equal(sample.Count, sample.Distinct().Count());
        Assert.InRange(sample.Count, Math.Min(keys, atLeast), 20 * atLeast);
        var numbers = sample.Select(node => BinaryPrimitives.ReadInt32BigEndian(SkipList.KeyOf((byte*)node))).ToArray();
        Assert.InRange(numbers.Average(), 0.25 * keys, 0.75 * keys);
        list.Free();
    }

    static unsafe void Insert(SkipList list, byte[] key, ulong sequence) => list.Insert(key, sequence, EntryKind.Put, key);

    static unsafe int ReadUntil(SkipList list, Func<bool> isDone)
    {
        var rounds = 0;
        do
        {
            var last = -1;
            for (var node = list.First; node != null; node = SkipList.NextOf(node))
            {
                var key = SkipList.KeyOf(node);
                var number = BinaryPrimitives.ReadInt32BigEndian(key);
                Assert.True(number >= last && SkipList.ValueOf(node).SequenceEqual(key));
                last = number;
            }

            rounds++;
        }
        while (!isDone());
        return rounds;
    }

    static byte[] Key(int number)
    {
        var key = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return key;
    }
}
