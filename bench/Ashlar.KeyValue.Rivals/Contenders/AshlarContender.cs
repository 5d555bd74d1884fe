namespace Ashlar.KeyValue.Rivals;

sealed class AshlarContender(string directory, long memoryBytes) : IContender
{
    readonly KeyValueStore store = KeyValueStore.Open(directory, new KeyValueOptions { BlockCacheBytes = memoryBytes });

    public bool IsOrdered => true;

    public void Load(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        foreach (var (key, value) in entries) store.Put(key, value, Durability.Unflushed);
        store.Compact();
    }

    public IReader OpenReader() => new Reader(store);

    public (long Entries, long Sum) Scan()
    {
        using var cursor = store.Scan(KeyRange.All);
        var (entries, sum) = (0L, 0L);
        while (cursor.MoveNext())
        {
            entries++;
            sum += Touch.Sum(cursor.Key) + Touch.Sum(cursor.Value);
        }

        return (entries, sum);
    }

    public void PutDurably(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => store.Put(key, value);

    public void Dispose() => store.Dispose();

    sealed class Reader(KeyValueStore store) : IReader
    {
        public int Get(ReadOnlySpan<byte> key, Span<byte> destination) =>
            store.TryGet(key, destination, out var length) ? length : -1;

        public void Dispose()
        {
        }
    }
}
