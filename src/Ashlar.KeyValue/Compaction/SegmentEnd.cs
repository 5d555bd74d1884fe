using Ashlar.KeyValue.MemTables;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides when enough values were written to a segment of the log: when they have made as much garbage as a segment may, of what the
/// memtable held itself and of what lay below it. Values of new keys make none. For the leader of a group, one at a time.
/// </summary>
/// <remarks>
/// What a memtable replaces of its own is counted with each entry. How much it replaces below is found by looking up a sample of its keys,
/// now and then.
/// </remarks>
sealed class SegmentEnd(StoreState state)
{
    const int SampledKeys = 24;

    ulong memTable; // Its first sequence.
    long nextLook; // Bytes of values in it.

    /// <summary>Whether its segment is to end.</summary>
    /// <param name="active">The memtable that is being written.</param>
    /// <param name="bytes">What <see cref="SegmentLength"/> says.</param>
    public bool IsDue(MemTable active, long bytes)
    {
        if (active.PlacedBytes < bytes) return false;
        if (active.ReplacedBytes >= bytes) return true;
        if (active.FirstSequence != memTable) (memTable, nextLook) = (active.FirstSequence, bytes);
        if (active.PlacedBytes < nextLook) return false;
        var newest = active.PlacedBytes - active.ReplacedBytes;
        if (active.ReplacedBytes + (ShareBelow(active) * newest) >= bytes) return true;
        nextLook = active.PlacedBytes + (bytes / 2);
        return false;
    }

    // Damage is for whoever reads what is damaged; here it only means that nothing is known.
    double ShareBelow(MemTable active)
    {
        var found = 0;
        var keys = active.Entries.SampleKeys(SampledKeys);
        try
        {
            foreach (var key in keys)
            {
                using var read = state.Read(); // For each anew: a long one would keep what others replace.
                if (IsBelow(read.Version, read.Slot, key)) found++;
            }
        }
        catch (AshlarException)
        {
            return 1;
        }

        return (double)found / keys.Count;
    }

    static bool IsBelow(StoreVersion version, int slot, ReadOnlySpan<byte> key)
    {
        foreach (var waiting in version.Immutable)
        {
            if (waiting.TryFind(key, ulong.MaxValue, out _, out _)) return true;
        }

        return version.Tables.TryFind(slot, key, ulong.MaxValue, out _, out _);
    }
}
