using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;

namespace Ashlar.KeyValue.Recovery;

/// <summary>Puts what is replayed into a memtable: values that are to be separate stay where they are.</summary>
sealed class MemTableReplay(MemTable memTable, int separatedValueBytes) : ILogReplay
{
    public void Apply(ulong sequence, ulong segmentId, long entryOffset, in LogEntry entry, ReadOnlySpan<byte> bytes) =>
        memTable.Add(sequence, segmentId, entryOffset, entry, bytes, separatedValueBytes);
}
