namespace Ashlar.KeyValue;

public sealed partial class WriteBatch
{
    /// <summary>
    /// Walks what is in the batch, in the order in which it was added. The batch must not be cleared meanwhile; what is added is not seen.
    /// </summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Walks the entries of a batch.</summary>
    public ref struct Enumerator
    {
        readonly WriteBatch batch;
        ReadOnlySpan<byte> rest;

        internal Enumerator(WriteBatch batch)
        {
            this.batch = batch;
            rest = batch.Entries;
        }

        /// <summary>The entry that the last step went to.</summary>
        public WriteBatchEntry Current { get; private set; }

        /// <summary>Goes to the first, then to the next entry; false at the end.</summary>
        public bool MoveNext()
        {
            if (rest.IsEmpty) return false;
            Current = new WriteBatchEntry(rest, batch);
            rest = rest[Current.Encoded.Length..];
            return true;
        }
    }
}
