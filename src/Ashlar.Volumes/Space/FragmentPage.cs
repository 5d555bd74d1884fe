using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// The fragment chunks among 64 chunks of the device, format version 1. Little-endian. A page without any is not stored.
//
//   0         1         2
//   +---------+---------+-------------------------------------------------------+
//   | Version | Count   | Count times: Index (1) | Blocks (2) | Lineage (6)     |
//   +---------+---------+-------------------------------------------------------+
//
// Index 0..63 within the page, ascending; Blocks: bit i = a persisted leaf, of the head or of a snapshot, owns block i; never 0;
// Lineage: of the volume that owns the chunk.
sealed class FragmentPage
{
    public const int Chunks = 64;
    public const int MaxBytes = HeaderBytes + (Chunks * EntryBytes);

    const byte Version = 1;
    const int HeaderBytes = 2, EntryBytes = 9, BlocksOffset = 1, LineageOffset = 3;

    readonly ushort[] blocks = new ushort[Chunks];
    readonly long[] lineages = new long[Chunks];

    /// <summary>Which blocks of a chunk are owned.</summary>
    public ushort BlocksOf(int index) => blocks[index];

    /// <summary>Whose chunk it is, where a block is owned.</summary>
    public long LineageOf(int index) => lineages[index];

    public void Set(int index, ushort owned, long lineage) => (blocks[index], lineages[index]) = (owned, lineage);

    /// <summary>Encodes the page.</summary>
    /// <returns>Bytes written; 0 when it has no fragment chunk and is to be deleted.</returns>
    public int Write(Span<byte> target)
    {
        var position = HeaderBytes;
        byte count = 0;
        for (var index = 0; index < Chunks; index++)
        {
            if (blocks[index] == 0) continue;
            var entry = target.Slice(position, EntryBytes);
            entry[0] = (byte)index;
            BinaryPrimitives.WriteUInt16LittleEndian(entry[BlocksOffset..], blocks[index]);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[LineageOffset..], (uint)lineages[index]);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[(LineageOffset + 4)..], (ushort)(lineages[index] >> 32));
            position += EntryBytes;
            count++;
        }

        (target[0], target[1]) = (Version, count);
        return count == 0 ? 0 : position;
    }

    /// <summary>Decodes a page.</summary>
    /// <exception cref="CorruptDataException">The bytes are not a page.</exception>
    public static FragmentPage Read(ReadOnlySpan<byte> source, string where, long number)
    {
        if (source.Length < HeaderBytes) throw Damaged($"{source.Length} bytes");
        if (source[0] != Version)
        {
            throw new UnsupportedFormatException(
                where, $"fragment chunks in format version {source[0]}; this program reads version {Version}");
        }

        if (source[1] == 0 || source.Length != HeaderBytes + (source[1] * EntryBytes)) throw Damaged($"{source.Length} bytes");
        var page = new FragmentPage();
        var previous = -1;
        for (var rest = source[HeaderBytes..]; !rest.IsEmpty; rest = rest[EntryBytes..])
        {
            var owned = BinaryPrimitives.ReadUInt16LittleEndian(rest[BlocksOffset..]);
            if (rest[0] <= previous || rest[0] >= Chunks || owned == 0)
                throw Damaged($"chunk {rest[0]} after {previous}, blocks {owned:x4}");
            previous = rest[0];
            page.Set(
                rest[0],
                owned,
                BinaryPrimitives.ReadUInt32LittleEndian(rest[LineageOffset..])
                | ((long)BinaryPrimitives.ReadUInt16LittleEndian(rest[(LineageOffset + 4)..]) << 32));
        }

        return page;
        CorruptDataException Damaged(string problem) => new(where, number, $"fragment chunks of page {number}: {problem}");
    }
}
