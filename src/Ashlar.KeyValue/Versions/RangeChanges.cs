using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// Finds out whether a range was written to between two sequences. Memtables and tables without a newer entry are passed over. A snapshot
/// at the first of them must be held meanwhile, or merges may have dropped a delete that lies between.
/// </summary>
static class RangeChanges
{
    /// <summary>The first key with an entry behind <paramref name="after"/> and not behind <paramref name="through"/>; null:
    /// none.</summary>
    public static byte[]? Find(StoreVersion version, KeyRange range, ulong after, ulong through)
    {
        foreach (var deleted in version.DeletedRanges())
        {
            var isBetween = deleted.Sequence > after && deleted.Sequence <= through;
            if (isBetween && range.Overlaps(deleted.Start, deleted.End, deleted.End is not null)) return deleted.Start;
        }

        foreach (var source in Sources(version, after))
        {
            try
            {
                for (source.Seek(range.Start, ulong.MaxValue); source.IsValid && range.Contains(source.Key); source.Next())
                {
                    if (source.Sequence > after && source.Sequence <= through) return source.Key.ToArray();
                }
            }
            finally
            {
                source.Close();
            }
        }

        return null;
    }

    static IEnumerable<EntryIterator> Sources(StoreVersion version, ulong after)
    {
        foreach (var table in (MemTable[])[version.Active, .. version.Immutable])
        {
            if (table.LastSequence > after) yield return new MemTableIterator(table);
        }

        foreach (var table in version.Tables.LevelZero)
        {
            if (table.Info.MaxSequence > after) yield return table.CreateIterator();
        }

        for (var level = 1; level < version.Tables.Levels.Length; level++)
        {
            Table[] changed = [.. version.Tables.Levels[level].Where(table => table.Info.MaxSequence > after)];
            if (changed.Length > 0) yield return new LevelIterator(changed);
        }
    }
}
