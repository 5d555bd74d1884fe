using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Blocks;

/// <summary>Checks a block that was read from disk, all that later reads rely on, once.</summary>
static unsafe class BlockCheck
{
    /// <summary>
    /// The checksum against trailer and handle, then that every entry lies within the block and is what its kind says. Returns the memory
    /// that <see cref="Block.Fill"/> needs.
    /// </summary>
    /// <exception cref="CorruptDataException">Something of it does not hold.</exception>
    /// <exception cref="UnsupportedFormatException">The block is sound, but of an encoding that this program cannot read.</exception>
    public static int Require(ReadOnlySpan<byte> bytes, in BlockHandle handle, uint tableSeed, string path)
    {
        RequireTrailer(bytes, handle, tableSeed, path, Block.PackedEncoding);
        if (!BlockLayout.TryRead(bytes, out var layout))
            throw new CorruptDataException(path, handle.Offset, "the parts of a block do not fit it");
        fixed (byte* block = bytes)
        {
            if (FirstWrong(block, layout) is { } index)
                throw new CorruptDataException(path, handle.Offset, $"entry {index} of {layout.Count} does not fit its block");
        }

        return BlockMemory.Needed(bytes.Length, layout.Count);
    }

    /// <summary>The checksum against trailer and handle alone, of what holds no entries.</summary>
    /// <inheritdoc cref="Require" path="/exception" />
    public static void RequireTrailer(ReadOnlySpan<byte> bytes, in BlockHandle handle, uint tableSeed, string path, byte encoding)
    {
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        var actual = Block.Checksum(tableSeed, handle.Offset, bytes[..^4]);
        if (stored != actual || handle.Crc != actual)
            throw new CorruptDataException(
                path, handle.Offset, $"checksum mismatch: expected {handle.Crc:x8}, block says {stored:x8}, found {actual:x8}");
        if (bytes[^Block.TrailerBytes] != encoding)
            throw new UnsupportedFormatException(
                path,
                $"block encoding {bytes[^Block.TrailerBytes]} at byte {handle.Offset}; this program reads encoding {encoding}");
    }

    static int? FirstWrong(byte* block, in BlockLayout layout)
    {
        if (layout.StartOf(block, 0) != 0) return 0;
        if (layout.StartOf(block, layout.Count) != (uint)layout.HeapBytes) return layout.Count - 1;
        for (var index = 0; index < layout.Count; index++)
        {
            if (!IsSound(block, layout, index)) return index;
        }

        return null;
    }

    static bool IsSound(byte* block, in BlockLayout layout, int index)
    {
        var start = layout.StartOf(block, index);
        var end = layout.StartOf(block, index + 1);
        var suffixBytes = layout.Read(block, BlockField.SuffixBytes, index);
        var kind = layout.Read(block, BlockField.Kind, index);
        if (start > end || end > (uint)layout.HeapBytes || suffixBytes > end - start || kind > byte.MaxValue) return false;
        if ((uint)layout.PrefixLength + suffixBytes > KeyValueOptions.KeyLimitBytes) return false;
        var inline = end - start - suffixBytes;
        if (!((EntryKind)kind).HasPlace()) return inline >= (uint)((EntryKind)kind).MinStoredBytes();
        return inline == (uint)((EntryKind)kind).MinStoredBytes() - ValuePlace.EncodedBytes
            && layout.Read(block, BlockField.Offset, index) <= uint.MaxValue
            && layout.Read(block, BlockField.LengthBytes, index) <= KeyValueOptions.ValueLimitBytes
            && layout.Read(block, BlockField.ValueCrc, index) <= uint.MaxValue;
    }
}

/// <summary>Memory for one block at a time, outside of the cache: for those who read everything once.</summary>
sealed unsafe class BlockBuffer
{
    byte[] bytes = [];

    /// <summary>Checks a block and takes it in. What was here before is gone.</summary>
    public Block Load(ReadOnlySpan<byte> block, in BlockHandle handle, uint tableSeed, string path)
    {
        var needed = BlockCheck.Require(block, handle, tableSeed, path);
        if (bytes.Length < needed)
            bytes = GC.AllocateUninitializedArray<byte>(Math.Max(needed, Math.Min(2 * bytes.Length, 1 << 20)), pinned: true);
        var loaded = new Block((BlockMemory*)Unsafe.AsPointer(ref bytes[0]));
        loaded.Fill(block);
        return loaded;
    }
}
