namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides which entries no reader can see any more. Fed in order, the newest version of a key first. An entry goes if every
/// reader who sees it sees a newer one of its key, too, or if it is a tombstone that every reader sees and below which nothing
/// of its key can lie (invariant I2). With the tombstone go the older entries that it shadows, in the same edit.
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
    public bool Keeps(ReadOnlySpan<byte> entryKey, ulong sequence, bool isDroppableTombstone, out bool isNewKey)
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
        var isShadowed = IsShadowed(sequence);
        newerSequence = sequence;
        return !isShadowed && !(isDroppableTombstone && sequence <= readable[0]);
    }

    // Nobody reads at or above the entry and below the newer one.
    bool IsShadowed(ulong sequence)
    {
        if (newerSequence > readable[^1]) return false;
        var first = Array.BinarySearch(readable, sequence);
        return readable[first < 0 ? ~first : first] >= newerSequence;
    }
}
