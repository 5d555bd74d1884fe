namespace Ashlar.KeyValue;

/// <summary>What an entry does to its key. Stored in logs and tables: numbers are never reused.</summary>
/// <remarks>3 is kept for a put whose value lies in the log, 5 for one that expires as well.</remarks>
enum EntryKind : byte
{
    None = 0,
    Put = 1,
    Delete = 2,

    /// <summary>A put that expires: eight bytes of expiry, then the value (see <see cref="Expiry"/>).</summary>
    ExpiringPut = 4,
}
