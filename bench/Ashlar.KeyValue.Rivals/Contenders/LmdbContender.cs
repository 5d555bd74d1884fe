using LightningDB;

namespace Ashlar.KeyValue.Rivals;

/// <summary>
/// LMDB. A get that must see the newest state renews its transaction; with <paramref name="isSnapshot"/> all gets of a thread share one,
/// which is faster and sees nothing that was written since.
/// </summary>
sealed class LmdbContender : IContender
{
    const int EntriesOfTransaction = 10_000;

    readonly bool isSnapshot;
    readonly LightningEnvironment environment;
    readonly LightningDatabase database;

    public LmdbContender(string directory, long memoryBytes, bool isSnapshot)
    {
        this.isSnapshot = isSnapshot;
        environment = new LightningEnvironment(directory, new EnvironmentConfiguration { MapSize = memoryBytes });
        environment.Open();
        using var transaction = environment.BeginTransaction();
        database = transaction.OpenDatabase(new DatabaseConfiguration { Flags = DatabaseOpenFlags.Create });
        transaction.Commit().ThrowOnError();
    }

    public bool IsOrdered => true;

    public void Load(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        foreach (var part in entries.Chunk(EntriesOfTransaction))
        {
            using var transaction = environment.BeginTransaction();
            foreach (var (key, value) in part) transaction.Put(database, key, value).ThrowOnError();
            transaction.Commit().ThrowOnError();
        }
    }

    public IReader OpenReader() => new Reader(environment, database, isSnapshot);

    public (long Entries, long Sum) Scan()
    {
        using var transaction = environment.BeginTransaction(TransactionBeginFlags.ReadOnly);
        using var cursor = transaction.CreateCursor(database);
        var (entries, sum) = (0L, 0L);
        while (true)
        {
            var (code, key, value) = cursor.Next();
            if (code != MDBResultCode.Success) return (entries, sum);
            entries++;
            sum += Touch.Sum(key.AsSpan()) + Touch.Sum(value.AsSpan());
        }
    }

    public void PutDurably(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        using var transaction = environment.BeginTransaction();
        transaction.Put(database, key, value).ThrowOnError();
        transaction.Commit().ThrowOnError();
    }

    public void Dispose()
    {
        database.Dispose();
        environment.Dispose();
    }

    sealed class Reader(LightningEnvironment environment, LightningDatabase database, bool isSnapshot) : IReader
    {
        readonly LightningTransaction transaction = environment.BeginTransaction(TransactionBeginFlags.ReadOnly);

        public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
        {
            if (!isSnapshot)
            {
                transaction.Reset();
                transaction.Renew().ThrowOnError();
            }

            var (code, _, value) = transaction.Get(database, key);
            if (code != MDBResultCode.Success) return -1;
            var bytes = value.AsSpan();
            bytes.CopyTo(destination);
            return bytes.Length;
        }

        public void Dispose() => transaction.Dispose();
    }
}
