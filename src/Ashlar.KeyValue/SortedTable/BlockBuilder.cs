using System.Buffers.Binary;

namespace Ashlar.KeyValue;

/// <summary>Collects entries in order and writes them as a <see cref="Block"/>.</summary>
sealed class BlockBuilder
{
    byte[] bytes = new byte[8192];
    readonly List<int> offsets = [];
    int length;

    public int Count => offsets.Count;

    /// <summary>Size of the block if it were finished now.</summary>
    public int SizeBytes => length + (4 * offsets.Count) + 4 + Block.TrailerBytes;

    public void Add(EntryKind kind, ReadOnlySpan<byte> key, ulong sequence, ReadOnlySpan<byte> value)
    {
        var size = checked(Block.EntryHeaderBytes + key.Length + value.Length);
        Reserve(size);
        var target = bytes.AsSpan(length, size);
        target[0] = (byte)kind;
        target[1] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], (ushort)key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], value.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], sequence);
        key.CopyTo(target[Block.EntryHeaderBytes..]);
        value.CopyTo(target[(Block.EntryHeaderBytes + key.Length)..]);
        offsets.Add(length);
        length += size;
    }

    /// <summary>Completes the block for its place in the file. The bytes are valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Finish(uint tableSeed, long offset, out BlockHandle handle)
    {
        var size = SizeBytes;
        Reserve(size - length);
        var rest = bytes.AsSpan(length, size - length);
        foreach (var entry in offsets)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, entry);
            rest = rest[4..];
        }

        BinaryPrimitives.WriteInt32LittleEndian(rest, offsets.Count);
        rest.Slice(4, 4).Clear();
        rest[4] = Block.PlainEncoding;
        var crc = Block.Checksum(tableSeed, offset, bytes.AsSpan(0, size - 4));
        BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], crc);
        handle = new BlockHandle(offset, size, crc);
        return bytes.AsSpan(0, size);
    }

    public void Clear()
    {
        offsets.Clear();
        length = 0;
    }

    void Reserve(int more)
    {
        var needed = checked(length + more);
        if (needed > bytes.Length)
            Array.Resize(ref bytes, (int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * bytes.Length)));
    }
}
