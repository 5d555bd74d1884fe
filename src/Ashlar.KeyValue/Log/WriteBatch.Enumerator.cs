namespace Ashlar.KeyValue;

public sealed partial class WriteBatch
{
    /// <summary>
    /// Walks what is in the batch, in the order in which it was added. The batch must not be cleared meanwhile; what is added is not seen.
    /// </summary>
    public Enumerator GetEnumerator() => new(Entries);

    /// <summary>Walks the entries of a batch.</summary>
    public ref struct Enumerator
    {
        ReadOnlySpan<byte> rest;

        internal Enumerator(ReadOnlySpan<byte> entries) => rest = entries;

        /// <summary>The entry that the last step went to.</summary>
        public WriteBatchEntry Current { get; private set; }

        /// <summary>Goes to the first, then to the next entry; false at the end.</summary>
        public bool MoveNext()
        {
            if (rest.IsEmpty) return false;
            Current = new WriteBatchEntry(rest);
            rest = rest[Current.Encoded.Length..];
            return true;
        }
    }
}
