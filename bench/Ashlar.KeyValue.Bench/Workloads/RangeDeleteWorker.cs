namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Deletes ranges of two keys each, spread over the store. A snapshot of before is held until the process ends, so that merges leave them
/// to be read through by what runs next.
/// </summary>
sealed class RangeDeleteWorker(KeyValueStore store, BenchOptions options, KeySequence keys, Durability durability) : Worker
{
    static readonly List<KeyValueSnapshot> Held = [];

    readonly byte[] start = KeyEncoding.NewKey(options.KeyBytes);
    readonly byte[] end = KeyEncoding.NewKey(options.KeyBytes);

    protected override int Step()
    {
        lock (Held)
        {
            if (Held.Count == 0) Held.Add(store.CreateSnapshot());
        }

        var first = keys.Next();
        KeyEncoding.Write(start, first);
        KeyEncoding.Write(end, first + 2);
        store.DeleteRange(start, end, durability);
        return 1;
    }
}
