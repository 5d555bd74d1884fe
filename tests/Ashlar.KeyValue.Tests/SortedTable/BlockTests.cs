using System.Buffers.Binary;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

public sealed class BlockTests
{
    const uint Seed = 0x1234;

    readonly BlockBuffer buffer = new(); // Owns the memory that a block points into.

    [Theory, Seeds(count: 30)]
    public void Finding_by_fragments_is_finding_in_order(ulong seed)
    {
        var random = new Random((int)seed);
        var prefix = new byte[random.Next(0, 6)];
        random.NextBytes(prefix);
        var entries = new SortedSet<(byte[] Key, ulong Sequence)>(
            Enumerable.Range(0, random.Next(1, 60)).Select(_ => (RandomKey(), (ulong)random.Next(1, 5))), Order);
        var builder = new BlockBuilder();
        foreach (var (key, sequence) in entries) builder.Add(EntryKind.Put, key, sequence, key);
        var block = Load(builder);
        var sorted = entries.ToArray();
        for (var probe = 0; probe < 300; probe++)
        {
            var (key, sequence) = (RandomKey(), (ulong)random.Next(0, 6));
            var expected = sorted.TakeWhile(entry => EntryOrder.Compare(entry.Key, entry.Sequence, key, sequence) < 0).Count();
            Assert.Equal(expected, block.Find(key, sequence));
        }

        // Few letters, so that keys end early, repeat, and begin alike; also keys beside the common prefix.
        byte[] RandomKey()
        {
            var key = new byte[random.Next(0, 8)];
            for (var i = 0; i < key.Length; i++) key[i] = (byte)(random.Next(3) switch { 0 => 0, 1 => 'a', _ => 0xFF });
            return random.Next(12) == 0 ? key : [.. prefix, .. key];
        }
    }

    [Theory, Seeds(count: 60)]
    public void Whatever_entries_a_block_is_made_of_it_gives_them_back(ulong seed)
    {
        var random = new Random((int)seed);
        var kinds = KindsOf(random);
        var keyBytes = random.Next(2) == 0 ? random.Next(0, 20) : -1;
        var entries = new SortedDictionary<(byte[] Key, ulong Sequence), (EntryKind Kind, byte[] Stored)>(Order);
        for (var count = random.Next(1, 80); count > 0; count--)
        {
            var key = new byte[keyBytes < 0 ? random.Next(0, 300) : keyBytes];
            random.NextBytes(key);
            key.AsSpan(0, Math.Min(key.Length, random.Next(0, 4))).Clear();
            var kind = kinds[random.Next(kinds.Length)];
            entries[(key, (ulong)Spread(random, long.MaxValue))] = (kind, RandomStored(random, kind));
        }

        var builder = new BlockBuilder();
        foreach (var (key, entry) in entries) builder.Add(entry.Kind, key.Key, key.Sequence, entry.Stored);
        var size = builder.SizeBytes;
        var block = Load(builder);
        Assert.Equal((entries.Count, size), (block.Count, block.Bytes.Length));
        var scratch = new byte[ValuePlace.MaxStoredBytes];
        var index = 0;
        foreach (var (key, entry) in entries)
        {
            Assert.Equal(key.Key, block.KeyAt(index));
            Assert.True(block.IsKeyAt(index, key.Key));
            Assert.Equal((key.Sequence, entry.Kind), (block.SequenceAt(index), block.KindAt(index)));
            Assert.Equal(entry.Stored, block.StoredAt(index, scratch));
            if (entry.Kind.HasPlace()) Assert.Equal(ValuePlace.Read(entry.Kind, entry.Stored), block.PlaceAt(index));
            Assert.Equal(index++, block.Find(key.Key, key.Sequence));
        }
    }

    [Fact]
    public void Entries_that_are_alike_take_a_third_of_what_they_hold()
    {
        var builder = new BlockBuilder();
        var stored = new byte[ValuePlace.EncodedBytes];
        var key = new byte[16];
        var random = new Random(1);
        for (var i = 0; i < 100; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(4), (1 << 20) + i);
            new ValuePlace(70 + (ulong)(i % 9), random.Next(64 << 20), 1000, (uint)random.Next()).Write(stored);
            builder.Add(EntryKind.PutInLog, key, 10_000_000 + (ulong)random.Next(16 << 20), stored);
        }

        // One byte of segment, four of offset, four of checksum, three of sequence; nine of the key.
        Assert.InRange(builder.SizeBytes, 2_100, BlockLayout.HeaderBytes + BlockLayout.TrailerBytes + 7 + 2_100);
    }

    [Theory]
    [InlineData(BlockLayout.CountStart, 0)]
    [InlineData(BlockLayout.CountStart, 2)]
    [InlineData(BlockLayout.CountStart, 4)]
    [InlineData(BlockLayout.CountStart, int.MaxValue)]
    [InlineData(BlockLayout.CountStart, -1)]
    [InlineData(BlockLayout.PrefixLengthStart, 0)]
    [InlineData(BlockLayout.PrefixLengthStart, 2)]
    [InlineData(BlockLayout.PrefixLengthStart, 300)]
    [InlineData(BlockLayout.WidthsStart, 0)]
    [InlineData(BlockLayout.WidthsStart, 9)]
    [InlineData(BlockLayout.WidthsStart, 0x08080808)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.Start), 1)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.Start), -1)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.SuffixBytes), 200)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.SuffixBytes), -1)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.Kind), (int)EntryKind.ExpiringPutInLog)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.Kind), 256)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.LengthBytes), KeyValueOptions.ValueLimitBytes)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.LengthBytes), -1)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.Offset) + 4, 1)]
    [InlineData(BlockLayout.BasesStart + (8 * (int)BlockField.ValueCrc) + 4, 1)]
    public void A_block_that_does_not_add_up_is_refused_when_it_is_loaded(int offset, int value)
    {
        var bytes = ThreeEntries();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
        Assert.Throws<CorruptDataException>(() => LoadSealed(bytes));
    }

    [Fact]
    public void A_block_of_any_bytes_is_refused_or_readable()
    {
        var random = new Random(5);
        var scratch = new byte[ValuePlace.MaxStoredBytes];
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = ThreeEntries();
            for (var flips = random.Next(1, 4); flips > 0; flips--) bytes[random.Next(bytes.Length - Block.TrailerBytes)] ^= (byte)(1 << random.Next(8));
            try
            {
                var block = LoadSealed(bytes);
                for (var index = 0; index < block.Count; index++)
                {
                    Assert.InRange(block.StoredAt(index, scratch).Length + block.KeyAt(index).Length, 0, bytes.Length + scratch.Length);
                    _ = block.Find(block.KeyAt(index), block.SequenceAt(index));
                }
            }
            catch (CorruptDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 19_000);
    }

    [Fact]
    public void Entries_without_any_difference_are_refused_before_memory_is_taken_for_them()
    {
        var builder = new BlockBuilder();
        builder.Add(EntryKind.Delete, "a"u8, 9, default);
        var bytes = builder.Finish(Seed, 0, out _).ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(BlockLayout.CountStart), int.MaxValue);
        Assert.Throws<CorruptDataException>(() => LoadSealed(bytes));
    }

    static byte[] ThreeEntries()
    {
        var builder = new BlockBuilder();
        var stored = new byte[ValuePlace.EncodedBytes];
        new ValuePlace(3, 400, 1000, 0xFFFF_FFF0).Write(stored);
        builder.Add(EntryKind.PutInLog, "aa"u8, 9, stored);
        new ValuePlace(4, 500, 1001, 0xFFFF_FFF1).Write(stored);
        builder.Add(EntryKind.PutInLog, "aab"u8, 8, stored);
        new ValuePlace(4, 900, 1000, 0xFFFF_FFF2).Write(stored);
        builder.Add(EntryKind.PutInLog, "ab"u8, 7, stored);
        return builder.Finish(Seed, 0, out _).ToArray();
    }

    static EntryKind[] KindsOf(Random random)
    {
        EntryKind[] all = [EntryKind.Put, EntryKind.Delete, EntryKind.PutInLog, EntryKind.ExpiringPut, EntryKind.ExpiringPutInLog];
        return random.Next(2) == 0 ? all : [all[random.Next(all.Length)]];
    }

    static byte[] RandomStored(Random random, EntryKind kind)
    {
        var inline = new byte[kind is EntryKind.Put or EntryKind.ExpiringPut ? random.Next(0, 40) : 0];
        var stored = new byte[kind.MinStoredBytes() + inline.Length];
        random.NextBytes(stored);
        if (kind.HasPlace())
            new ValuePlace((ulong)Spread(random, long.MaxValue), Spread(random, uint.MaxValue), (int)Spread(random, KeyValueOptions.ValueLimitBytes), (uint)Spread(random, uint.MaxValue))
                .Write(stored.AsSpan(stored.Length - ValuePlace.EncodedBytes));
        return stored;
    }

    // Of all magnitudes, the borders included.
    static long Spread(Random random, long most) => random.Next(6) switch
    {
        0 => 0,
        1 => most,
        _ => random.NextInt64(most) >> random.Next(0, 62),
    };

    Block Load(BlockBuilder builder) =>
        buffer.Load(builder.Finish(Seed, 64, out var handle).ToArray(), handle, Seed, "/table");

    // With a checksum that holds: what is checked is the rest.
    Block LoadSealed(byte[] bytes)
    {
        var crc = Block.Checksum(Seed, 0, bytes.AsSpan()[..^4]);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan()[^4..], crc);
        return buffer.Load(bytes, new BlockHandle(0, bytes.Length, crc), Seed, "/table");
    }

    static IComparer<(byte[] Key, ulong Sequence)> Order { get; } = Comparer<(byte[] Key, ulong Sequence)>.Create(
        (left, right) => EntryOrder.Compare(left.Key, left.Sequence, right.Key, right.Sequence));
}
