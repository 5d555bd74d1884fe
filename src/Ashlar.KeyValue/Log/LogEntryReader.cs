using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>Goes from entry to entry of a group and checks each; at the end, whether they are those that it was written with.</summary>
ref struct LogEntryReader(LogGroup group, uint seed, bool withValues)
{
    readonly LogGroupHeader header = group.Header;
    readonly int missingBytes = LogGroupHeader.SizeBytes + group.Header.BodyLength - group.Bytes.Length;
    readonly bool withValues = withValues;
    ReadOnlySpan<byte> rest = group.Bytes[LogGroupHeader.SizeBytes..];
    uint crc = seed;
    long next = group.Header.Offset + LogGroupHeader.SizeBytes;

    /// <summary>The head of the entry.</summary>
    public LogEntry Current { get; private set; }

    /// <summary>The entry.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Where in the segment it lies.</summary>
    public long Offset { get; private set; }

    /// <summary>How many entries were read.</summary>
    public int Count { get; private set; }

    /// <summary>How the entry fails. Behind one whose value alone does not hold, the next one is found all the same.</summary>
    public LogEntryFault Fault { get; private set; }

    /// <summary>Reads the next entry; false at the end of the group, and at an entry behind which none can be found.</summary>
    public bool MoveNext()
    {
        Offset = next;
        if (rest.IsEmpty)
        {
            Fault = missingBytes == 0 ? LogEntryFault.None : LogEntryFault.Length;
            return false;
        }

        Fault = LogEntry.Check(rest, withValues, out var entry);
        if (Fault is LogEntryFault.Length or LogEntryFault.Key) return false;
        Current = entry;
        Bytes = rest[..entry.SizeBytes];
        crc = Crc32C.Append(crc, rest[..LogEntry.HeaderBytes]);
        rest = rest[entry.SizeBytes..];
        next += entry.SizeBytes;
        Count++;
        return true;
    }

    /// <summary>What is wrong with the group whose entries all hold.</summary>
    public readonly LogGroupFault End()
    {
        if (Count != header.Count || (Count == 0) != (header.Kind == LogGroupKind.Seal)) return LogGroupFault.Count;
        return crc == header.BodyCrc ? LogGroupFault.None : LogGroupFault.Body;
    }
}
