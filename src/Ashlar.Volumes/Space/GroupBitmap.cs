using System.Buffers.Binary;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Bitmap of an allocation group (1 GiB, 16,384 chunks), format version 1. Little-endian. A group without taken chunks is not
// stored.
//
//   0         4
//   +---------+------------------------------------------------------------+
//   | Version | Words (8) up to the last that is not zero: bit i = chunk i |
//   +---------+------------------------------------------------------------+
//
// A set bit says that exactly one persisted leaf owns the chunk: group number x 16,384 + i.
static class GroupBitmap
{
    public const uint Version = 1;
    public const int Words = MapLayout.ChunksPerGroup / 64;
    public const int MaxBytes = HeaderBytes + (Words * sizeof(ulong));

    const int HeaderBytes = 4;

    /// <summary>Encodes a bitmap.</summary>
    /// <returns>Bytes written; 0 when no bit is set and the entry is to be deleted.</returns>
    public static int Write(Span<byte> target, ReadOnlySpan<ulong> words)
    {
        var count = words.LastIndexOfAnyExcept(0UL) + 1;
        if (count == 0) return 0;
        BinaryPrimitives.WriteUInt32LittleEndian(target, Version);
        for (var i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(target[(HeaderBytes + (i * sizeof(ulong)))..], words[i]);
        return HeaderBytes + (count * sizeof(ulong));
    }

    /// <summary>Adds a bitmap as it is now to a batch.</summary>
    public static void Add(WriteBatch batch, int group, ReadOnlySpan<ulong> words, Span<byte> buffer)
    {
        var length = Write(buffer, words);
        if (length == 0) batch.Delete(MapKeys.Bitmap(group));
        else batch.Put(MapKeys.Bitmap(group), buffer[..length]);
    }

    /// <summary>Decodes a bitmap into zeroed words.</summary>
    public static void Read(ReadOnlySpan<byte> source, Span<ulong> words, string where, int group)
    {
        var length = source.Length - HeaderBytes;
        if (length <= 0 || length % sizeof(ulong) != 0 || length > Words * sizeof(ulong))
            throw new CorruptDataException(where, group, $"bitmap of group {group}: {source.Length} bytes");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) is not Version and var version)
            throw new UnsupportedFormatException(where, $"bitmap format version {version}; this program reads version {Version}");
        for (var i = 0; i < length / sizeof(ulong); i++)
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(HeaderBytes + (i * sizeof(ulong)))..]);
    }
}
