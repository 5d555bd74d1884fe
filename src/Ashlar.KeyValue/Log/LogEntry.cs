using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

// Entry of a log group, format version 1. Little-endian. The key follows the header, the value follows the key.
//   0        4          8      9      10          12             16
//   +--------+----------+------+------+-----------+--------------+-------+---------+
//   | KeyCrc | ValueCrc | Kind | Zero | KeyLength | ValueLength  | Key.. | Value.. |
//   +--------+----------+------+------+-----------+--------------+-------+---------+
// KeyCrc covers bytes 4..16 and the key, ValueCrc the value: an entry can be read and checked by its place alone.
// Neither is seeded, so writers compute them before they know their group; the group's BodyCrc, which is seeded, covers the
// headers and with them everything.
// A range delete has the first key of the range as its key, and in the place of a value the first key behind it; nothing: no end.
readonly record struct LogEntry(uint KeyCrc, uint ValueCrc, EntryKind Kind, int KeyLength, int ValueLength)
{
    public const int HeaderBytes = 16;

    public int SizeBytes => HeaderBytes + KeyLength + ValueLength;

    /// <summary>The key of the entry that <paramref name="source"/> starts with.</summary>
    public ReadOnlySpan<byte> KeyIn(ReadOnlySpan<byte> source) => source.Slice(HeaderBytes, KeyLength);

    /// <summary>The value of the entry that <paramref name="source"/> starts with.</summary>
    public ReadOnlySpan<byte> ValueIn(ReadOnlySpan<byte> source) => source.Slice(HeaderBytes + KeyLength, ValueLength);

    public static LogEntry Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source),
        BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
        (EntryKind)source[8],
        BinaryPrimitives.ReadUInt16LittleEndian(source[10..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[12..]));

    /// <summary>Writes the entry into <paramref name="target"/>, which has exactly its size.</summary>
    public static void Write(Span<byte> target, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        value.CopyTo(target[(HeaderBytes + key.Length)..]);
        Seal(target, kind, key);
    }

    /// <summary>Writes a put that expires into <paramref name="target"/>, which has exactly its size.</summary>
    public static void WriteExpiring(Span<byte> target, ReadOnlySpan<byte> key, long expiresAt, ReadOnlySpan<byte> value)
    {
        Expiry.Write(target[(HeaderBytes + key.Length)..], expiresAt);
        value.CopyTo(target[(HeaderBytes + key.Length + Expiry.SizeBytes)..]);
        Seal(target, EntryKind.ExpiringPut, key);
    }

    static void Seal(Span<byte> target, EntryKind kind, ReadOnlySpan<byte> key)
    {
        // Checksums are taken from the copy: bytes that a caller changes meanwhile cannot make entry and checksum disagree.
        WriteHead(target, kind, key, Crc32C.Compute(target[(HeaderBytes + key.Length)..]));
    }

    /// <summary>Writes head and key before a value that is in place and whose checksum is known.</summary>
    public static void WriteHead(Span<byte> target, EntryKind kind, ReadOnlySpan<byte> key, uint valueCrc)
    {
        var stored = target[(HeaderBytes + key.Length)..];
        key.CopyTo(target[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], valueCrc);
        target[8] = (byte)kind;
        target[9] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[10..], (ushort)key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], stored.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Compute(target[4..(HeaderBytes + key.Length)]));
    }

    /// <summary>Reads the entry at the start of <paramref name="source"/>; false if it is not whole and sound.</summary>
    public static bool TryReadChecked(ReadOnlySpan<byte> source, out LogEntry entry) =>
        Check(source, withValue: true, out entry) == LogEntryFault.None;

    /// <summary>
    /// Reads the entry at the start of <paramref name="source"/> and says how it fails. Without values the end of a range is checked all
    /// the same: nobody else refers to it.
    /// </summary>
    public static LogEntryFault Check(ReadOnlySpan<byte> source, bool withValue, out LogEntry entry)
    {
        entry = default;
        if (source.Length < HeaderBytes) return LogEntryFault.Length;
        entry = Read(source);
        if (entry.ValueLength < 0 || (long)HeaderBytes + entry.KeyLength + entry.ValueLength > source.Length) return LogEntryFault.Length;
        if (entry.KeyLength == 0 || source[9] != 0) return LogEntryFault.Key;
        if (entry.Kind is not (EntryKind.Put or EntryKind.Delete or EntryKind.ExpiringPut or EntryKind.RangeDelete))
            return LogEntryFault.Key;
        if (Crc32C.Compute(source[4..(HeaderBytes + entry.KeyLength)]) != entry.KeyCrc) return LogEntryFault.Key;
        if (entry.ValueLength < entry.Kind.MinStoredBytes()) return LogEntryFault.Value;
        if (!withValue && entry.Kind != EntryKind.RangeDelete) return LogEntryFault.None;
        if (Crc32C.Compute(entry.ValueIn(source)) != entry.ValueCrc) return LogEntryFault.Value;
        return entry.Kind != EntryKind.RangeDelete || IsRange(entry.KeyIn(source), entry.ValueIn(source))
            ? LogEntryFault.None
            : LogEntryFault.Value;
    }

    static bool IsRange(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end) =>
        end.IsEmpty || (end.Length <= KeyValueOptions.KeyLimitBytes && start.SequenceCompareTo(end) < 0);
}
