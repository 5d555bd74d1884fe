namespace Ashlar.KeyValue.Entries;

/// <summary>What an entry does to its key. Stored in logs and tables: numbers are never reused.</summary>
enum EntryKind : byte
{
    None = 0,
    Put = 1,
    Delete = 2,

    /// <summary>A put whose value stays in a segment; the entry stores its <see cref="ValuePlace"/>. Never in a log.</summary>
    PutInLog = 3,

    /// <summary>A put that expires: eight bytes of expiry, then the value (see <see cref="Expiry"/>).</summary>
    ExpiringPut = 4,

    /// <summary>A put that expires and whose value stays in a segment: eight bytes of expiry, then the place. Never in a log.</summary>
    ExpiringPutInLog = 5,

    /// <summary>
    /// Deletes all keys from that of the entry up to what it stores in the place of a value; nothing: to the end. In logs alone.
    /// </summary>
    RangeDelete = 6,
}

static class EntryKinds
{
    public static bool Expires(this EntryKind kind) => kind is EntryKind.ExpiringPut or EntryKind.ExpiringPutInLog;

    /// <summary>Whether the entry stores a place instead of a value.</summary>
    public static bool HasPlace(this EntryKind kind) => kind is EntryKind.PutInLog or EntryKind.ExpiringPutInLog;

    /// <summary>Whether the key is present with this entry, unless it has expired.</summary>
    public static bool IsPut(this EntryKind kind) => kind is EntryKind.Put or EntryKind.PutInLog || kind.Expires();

    /// <summary>Bytes that entries of this kind store at least.</summary>
    public static int MinStoredBytes(this EntryKind kind) =>
        (kind.Expires() ? Expiry.SizeBytes : 0) + (kind.HasPlace() ? ValuePlace.EncodedBytes : 0);
}
