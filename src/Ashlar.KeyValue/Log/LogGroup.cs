namespace Ashlar.KeyValue.Log;

/// <summary>A group as it lies in its segment; valid until the next is read.</summary>
readonly ref struct LogGroup(LogGroupHeader header, uint headerCrc, ReadOnlySpan<byte> bytes, uint seed)
{
    public LogGroupHeader Header { get; } = header;

    /// <summary>Checksum of the head, which the next group repeats.</summary>
    public uint HeaderCrc { get; } = headerCrc;

    /// <summary>Head and entries without the zeros behind them; fewer bytes where the file ends within the group.</summary>
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Its entries, each checked as it is read.</summary>
    public LogEntryReader CheckEntries(bool withValues) => new(this, seed, withValues);

    /// <summary>Its entries, of a group that was checked.</summary>
    public LogEntries Entries => new(this);
}
