namespace Ashlar.KeyValue;

/// <summary>What an entry does to its key. Stored in logs and tables: numbers are never reused.</summary>
/// <remarks>3 is kept for a put whose value lies in the log, 4 for a put that expires.</remarks>
enum EntryKind : byte
{
    None = 0,
    Put = 1,
    Delete = 2,
}
