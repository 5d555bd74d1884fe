namespace Ashlar.KeyValue.Log;

/// <summary>The entries of a group that was checked, one after the other.</summary>
ref struct LogEntries(LogGroup group)
{
    ReadOnlySpan<byte> rest = group.Bytes[LogGroupHeader.SizeBytes..];
    long next = group.Header.Offset + LogGroupHeader.SizeBytes;

    /// <summary>The head of the entry.</summary>
    public LogEntry Current { get; private set; }

    /// <summary>The entry and what follows it in the group.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Where in the segment it lies.</summary>
    public long Offset { get; private set; }

    public ulong Sequence { get; private set; } = group.Header.FirstSequence - 1;

    public bool MoveNext()
    {
        if (rest.IsEmpty) return false;
        Bytes = rest;
        Current = LogEntry.Read(rest);
        Offset = next;
        Sequence++;
        rest = rest[Current.SizeBytes..];
        next += Current.SizeBytes;
        return true;
    }
}
