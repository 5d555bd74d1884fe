using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides which entries no reader can see any more. Fed in order, the newest version of a key first. An entry goes if every reader who
/// sees it sees a newer one of its key, or a newer range tombstone that covers it, too, or if it is a tombstone that every reader sees
/// and below which nothing of its key can lie (invariant I2). With the tombstone go the older entries that it shadows, in the same edit.
/// </summary>
/// <param name="readable">
/// Sequences that readers may read at, ascending: those of the snapshots, and as the last the visible one. A reader who comes later reads
/// at the visible one or at a newer one.
/// </param>
sealed class EntryFilter(ulong[] readable)
{
    byte[] key = [];
    int keyLength = -1;
    ulong newerSequence;

    /// <summary>Whether the next entry is kept.</summary>
    /// <param name="entryKey">The entry's key.</param>
    /// <param name="sequence">The entry's sequence.</param>
    /// <param name="isDroppableTombstone">Whether the entry is a tombstone with nothing of its key below.</param>
    /// <param name="isNewKey">Whether this is the first, newest entry of its key.</param>
    /// <param name="deletedBy">
    /// The oldest range tombstone that is newer than the entry and covers its key; the largest number there is if there is none.
    /// </param>
    public bool Keeps(
        ReadOnlySpan<byte> entryKey, ulong sequence, bool isDroppableTombstone, out bool isNewKey, ulong deletedBy = ulong.MaxValue)
    {
        isNewKey = keyLength < 0 || !key.AsSpan(0, keyLength).SequenceEqual(entryKey);
        if (isNewKey)
        {
            if (key.Length < entryKey.Length) key = new byte[Math.Max(64, 2 * entryKey.Length)];
            entryKey.CopyTo(key);
            keyLength = entryKey.Length;
            newerSequence = ulong.MaxValue;
        }

        // The same entry twice: a merge in steps was cut off between two of them.
        if (!isNewKey && sequence == newerSequence) return false;
        Invariant.Require(deletedBy > sequence); // What is newer than the range stays.
        var isShadowed = IsShadowed(sequence, Math.Min(newerSequence, deletedBy));
        newerSequence = sequence;
        return !isShadowed && !(isDroppableTombstone && sequence <= readable[0]);
    }

    // Nobody reads at or above the entry and below what is newer.
    bool IsShadowed(ulong sequence, ulong newer)
    {
        if (newer > readable[^1]) return false;
        var first = Array.BinarySearch(readable, sequence);
        return readable[first < 0 ? ~first : first] >= newer;
    }
}
