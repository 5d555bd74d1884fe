namespace Ashlar.KeyValue.Bench;

/// <summary>Deletes of random keys, there or not.</summary>
sealed class DeleteWorker(KeyValueStore store, BenchOptions options, KeySequence keys, Durability durability) : Worker
{
    readonly byte[] key = KeyEncoding.NewKey(options.KeyBytes);

    protected override int Step()
    {
        KeyEncoding.Write(key, keys.Next());
        store.Delete(key, durability);
        return 1;
    }
}
