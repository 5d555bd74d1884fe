using Ashlar.KeyValue.Entries;
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
    /// <summary>Keys with a value in a segment that are to be looked up.</summary>
    const int WantedKeys = 16;

    /// <summary>Entries among which they are looked for at the most: few of them may have such a value.</summary>
    const int MaxEntries = 4096;

    ulong memTable; // Its first sequence.
    long nextLook; // Bytes of values in it; 0 once its segment is to end.

    /// <summary>Whether its segment is to end.</summary>
    /// <param name="active">The memtable that is being written.</param>
    /// <param name="bytes">What <see cref="SegmentLength"/> says.</param>
    public bool IsDue(MemTable active, long bytes)
    {
        Invariant.Require(active.ReplacedBytes <= active.PlacedBytes);
        if (active.PlacedBytes < bytes) return false;
        if (active.ReplacedBytes >= bytes) return true;
        if (active.FirstSequence != memTable) (memTable, nextLook) = (active.FirstSequence, bytes);
        if (active.PlacedBytes < nextLook) return false;
        var newest = active.PlacedBytes - active.ReplacedBytes;
        var isDue = nextLook == 0 || active.ReplacedBytes + (ShareReplacedBelow(active) * newest) >= bytes;
        nextLook = isDue ? 0 : active.PlacedBytes + (bytes / 2);
        return isDue;
    }

    // Damage is for whoever reads what is damaged; here it only means that nothing is known.
    double ShareReplacedBelow(MemTable active)
    {
        var sample = active.SamplePlaced(WantedKeys);
        for (var entries = WantedKeys; sample.Count < WantedKeys && entries < Math.Min(active.Count, MaxEntries);)
        {
            entries *= 8;
            sample = active.SamplePlaced(entries);
        }

        if (sample.Count == 0) return 1;
        var replaced = 0L;
        try
        {
            foreach (var (key, bytes) in sample)
            {
                using var read = state.Read(); // For each anew: a long one would keep what others replace.
                if (HasValueBelow(read.Version, read.Slot, key)) replaced += bytes;
            }
        }
        catch (AshlarException error) when (error is not InvariantException)
        {
            return 1;
        }

        return (double)replaced / sample.Sum(entry => entry.Bytes);
    }

    static bool HasValueBelow(StoreVersion version, int slot, ReadOnlySpan<byte> key)
    {
        foreach (var waiting in version.Immutable)
        {
            if (waiting.TryFind(key, ulong.MaxValue, out _, out var kind, out _)) return kind.HasPlace();
        }

        return version.Tables.TryFind(slot, key, ulong.MaxValue, out var block, out var position) && block.KindAt(position).HasPlace();
    }
}
