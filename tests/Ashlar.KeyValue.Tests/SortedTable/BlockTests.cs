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

    [Theory]
    [InlineData(0, 4)]  // The first offset.
    [InlineData(1, 21)] // An offset between entries.
    [InlineData(1, -1)]
    [InlineData(2, 0)]  // Count.
    [InlineData(2, 3)]
    [InlineData(2, int.MaxValue)]
    [InlineData(2, -1)]
    public void A_block_that_does_not_add_up_is_refused_when_it_is_loaded(int field, int value)
    {
        var builder = new BlockBuilder();
        builder.Add(EntryKind.Put, "a"u8, 9, "xyz"u8);
        builder.Add(EntryKind.Delete, "b"u8, 8, default);
        var bytes = builder.Finish(Seed, 0, out _).ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(bytes.Length - Block.TrailerBytes - 12 + (4 * field)), value);
        Assert.Throws<CorruptDataException>(() => LoadSealed(bytes));
    }

    [Theory]
    [InlineData(2, ushort.MaxValue)]
    [InlineData(4, ushort.MaxValue)]
    [InlineData(18 + 4, 1)]
    public void An_entry_that_leaves_its_block_is_refused_when_it_is_loaded(int offset, int value)
    {
        var builder = new BlockBuilder();
        builder.Add(EntryKind.Delete, "ab"u8, 9, default);
        builder.Add(EntryKind.Delete, "b"u8, 8, default);
        var bytes = builder.Finish(Seed, 0, out _).ToArray();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), (ushort)value);
        Assert.Throws<CorruptDataException>(() => LoadSealed(bytes));
    }

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
