namespace Ashlar.KeyValue.Compaction;

/// <summary>What flushes and merges have done since the store was opened. One thread counts each of the two, others read.</summary>
sealed class CompactionCounters
{
    long flushes;
    long compactions;
    long moves;
    long drops;
    long flushBytesWritten;
    long mergeBytesRead;
    long mergeBytesWritten;
    long movedValueBytes;

    public long Flushes => Volatile.Read(ref flushes);

    public long Compactions => Volatile.Read(ref compactions);

    /// <summary>Compactions that moved tables to another level without writing them.</summary>
    public long Moves => Volatile.Read(ref moves);

    /// <summary>Tables that went without being read.</summary>
    public long Drops => Volatile.Read(ref drops);

    /// <summary>Bytes of tables that memtables became.</summary>
    public long FlushBytesWritten => Volatile.Read(ref flushBytesWritten);

    /// <summary>Bytes of tables that were merged.</summary>
    public long MergeBytesRead => Volatile.Read(ref mergeBytesRead);

    /// <summary>Bytes of tables that merges wrote.</summary>
    public long MergeBytesWritten => Volatile.Read(ref mergeBytesWritten);

    /// <summary>Bytes of values that were moved out of segments that are mostly garbage.</summary>
    public long MovedValueBytes => Volatile.Read(ref movedValueBytes);

    public void CountFlush(long bytesWritten)
    {
        Volatile.Write(ref flushBytesWritten, flushBytesWritten + bytesWritten);
        Volatile.Write(ref flushes, flushes + 1);
    }

    public void CountCompaction() => Volatile.Write(ref compactions, compactions + 1);

    public void CountMove() => Volatile.Write(ref moves, moves + 1);

    public void CountDrop(int tables) => Volatile.Write(ref drops, drops + tables);

    /// <summary>Counts what one edit of a merge replaced.</summary>
    public void CountMerge(long bytesRead, long bytesWritten, long valueBytesMoved)
    {
        Volatile.Write(ref mergeBytesRead, mergeBytesRead + bytesRead);
        Volatile.Write(ref mergeBytesWritten, mergeBytesWritten + bytesWritten);
        Volatile.Write(ref movedValueBytes, movedValueBytes + valueBytesMoved);
    }
}
