namespace Ashlar.KeyValue;

/// <summary>
/// Decides which entries no reader can see any more. Fed in order, the newest version of a key first. An entry goes if a
/// newer one of its key is visible to every reader, or if it is a tombstone that every reader sees and below which nothing
/// of its key can lie (invariant I2). With the tombstone go the older entries that it shadows, in the same edit.
/// </summary>
sealed class EntryFilter(ulong oldestReadableSequence)
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
        var isShadowed = newerSequence <= oldestReadableSequence;
        newerSequence = sequence;
        return !isShadowed && !(isDroppableTombstone && sequence <= oldestReadableSequence);
    }
}
