namespace Ashlar.KeyValue.Entries;

/// <summary>The order of entries everywhere: keys ascending as unsigned bytes, and for one key the newest first.</summary>
static class EntryOrder
{
    public static int Compare(
        ReadOnlySpan<byte> leftKey, ulong leftSequence, ReadOnlySpan<byte> rightKey, ulong rightSequence)
    {
        var order = leftKey.SequenceCompareTo(rightKey);
        return order != 0 ? order : rightSequence.CompareTo(leftSequence);
    }
}
