namespace Ashlar.KeyValue.Bench;

/// <summary>Gets of random keys into memory of the caller.</summary>
/// <param name="store">The store.</param>
/// <param name="options">Sizes.</param>
/// <param name="keys">What to ask for.</param>
/// <param name="extraKeyBytes">More bytes than the keys of the store have, so that none is found.</param>
sealed class GetWorker(KeyValueStore store, BenchOptions options, KeySequence keys, int extraKeyBytes = 0) : Worker
{
    readonly byte[] key = KeyEncoding.NewKey(options.KeyBytes + extraKeyBytes);
    readonly byte[] value = new byte[options.ValueBytes];
    long found;

    protected override int Step()
    {
        KeyEncoding.Write(key, keys.Next());
        if (store.TryGet(key, value, out _)) found++;
        Found = found;
        return 1;
    }
}
