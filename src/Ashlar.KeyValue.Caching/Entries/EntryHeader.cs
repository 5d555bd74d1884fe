using System.Buffers.Binary;

namespace Ashlar.KeyValue.Caching.Entries;

// What a cache entry begins with in the store, version 1. Little-endian, times in milliseconds since 1970 (UTC), 0 for none.
//   0       4      8            16          24          32       40
//   +-------+------+------------+-----------+-----------+--------+-----------+
//   | Magic | Zero | AbsoluteAt | SlidingMs | ExpiresAt | Number | Payload.. |
//   +-------+------+------------+-----------+-----------+--------+-----------+
// ExpiresAt is when the entry expires unless it is renewed, and what the store is told; never later than AbsoluteAt. Number tells this
// writing of the entry from others: its record in the eviction queue, if it has one, bears the same.
readonly record struct EntryHeader(long AbsoluteAt, long SlidingMs, long ExpiresAt, ulong Number)
{
    public const int SizeBytes = 40;

    const uint Magic = 0x31454341; // "ACE1"
    const int ZeroOffset = 4, AbsoluteOffset = 8, SlidingOffset = 16, ExpiresOffset = 24, NumberOffset = 32;

    public static bool TryRead(ReadOnlySpan<byte> source, out EntryHeader header)
    {
        header = default;
        if (source.Length < SizeBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[ZeroOffset..]) != 0) return false;
        header = new(
            BinaryPrimitives.ReadInt64LittleEndian(source[AbsoluteOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[SlidingOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[ExpiresOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[NumberOffset..]));
        return IsMoment(header.AbsoluteAt)
            && IsMoment(header.ExpiresAt)
            && header.SlidingMs >= 0
            && header.SlidingMs <= EntryLife.LongestWindowMs;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ZeroOffset..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(target[AbsoluteOffset..], AbsoluteAt);
        BinaryPrimitives.WriteInt64LittleEndian(target[SlidingOffset..], SlidingMs);
        BinaryPrimitives.WriteInt64LittleEndian(target[ExpiresOffset..], ExpiresAt);
        BinaryPrimitives.WriteUInt64LittleEndian(target[NumberOffset..], Number);
    }

    static bool IsMoment(long milliseconds) => milliseconds >= 0 && milliseconds <= EntryLife.LastMoment;
}
