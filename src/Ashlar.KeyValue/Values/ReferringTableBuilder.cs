using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Values;

/// <summary>Writes a table whose values may lie in segments, and counts what it refers to there.</summary>
sealed class ReferringTableBuilder(StoreFiles files, ulong id, int blockBytes) : IDisposable
{
    readonly TableBuilder table = new(files, id, blockBytes);
    readonly ReferenceCounter references = new();

    /// <inheritdoc cref="TableBuilder.SizeBytes" />
    public long SizeBytes => table.SizeBytes;

    /// <inheritdoc cref="TableBuilder.Count" />
    public long Count => table.Count;

    /// <inheritdoc cref="TableBuilder.Add" />
    public void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        table.Add(key, sequence, kind, stored);
        if (kind.HasPlace()) references.Add(kind, stored, key.Length);
    }

    /// <inheritdoc cref="TableBuilder.Finish" />
    public TableInfo Finish(int level) => table.Finish(level) with { References = references.ToArray() };

    public void Dispose() => table.Dispose();
}
