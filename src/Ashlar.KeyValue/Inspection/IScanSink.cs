using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Inspection;

/// <summary>An entry as it was found in a file.</summary>
readonly ref struct ScannedEntry(long offset, ulong sequence, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored)
{
    public long Offset { get; } = offset;

    public ulong Sequence { get; } = sequence;

    public EntryKind Kind { get; } = kind;

    public ReadOnlySpan<byte> Key { get; } = key;

    /// <summary>What the entry stores in the place of a value.</summary>
    public ReadOnlySpan<byte> Stored { get; } = stored;

    /// <summary>Whether <see cref="Stored"/> is what was written; key and sequence are in any case.</summary>
    public bool IsValueSound { get; init; } = true;
}

/// <summary>Takes what a scan of a file finds. Scans go on behind damage and throw only what the disk throws.</summary>
interface IScanSink
{
    /// <summary>A head, a group, a block, an edit: something that holds.</summary>
    void Structure(long offset, string description);

    /// <summary>An entry whose key holds.</summary>
    void Entry(in ScannedEntry entry);

    /// <summary>Bytes that do not hold.</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="lengthBytes">How many.</param>
    /// <param name="problem">What does not hold.</param>
    /// <param name="keys">The keys that they were about, as far as that is known.</param>
    void Damage(long offset, long lengthBytes, string problem, string? keys = null);
}
