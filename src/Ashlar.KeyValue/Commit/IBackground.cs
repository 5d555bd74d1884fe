using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;

namespace Ashlar.KeyValue.Commit;

/// <summary>The store's work in the background, as the leader of a group sees it.</summary>
interface IBackground
{
    /// <summary>Whether a memtable is to become a table: it is full, or its log is, which is what recovery has to read.</summary>
    bool IsFull(MemTable active, long logBytes);

    /// <summary>Holds the leader back while flushes and merges are behind.</summary>
    void WaitForRoom(long bytes, MemTable active, bool needsMemTable);

    /// <summary>Makes sure that the log has room for a group.</summary>
    void ReserveLog(LogWriter log, MemTable active, long bodyLength, SpaceClaim claim);

    /// <summary>
    /// Has somebody look soon whether ranges that were deleted in the memtable are worth a table of their own. Called before they are
    /// written, while a failure leaves no doubt, and when the memtable has them.
    /// </summary>
    void WatchRanges();

    /// <summary>There may be work: a memtable waits.</summary>
    void Signal();

    /// <summary>Lets waiters look again: the store was poisoned.</summary>
    void Wake();
}
