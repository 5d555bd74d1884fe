namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Opens a cursor at a random key, and moves on from there. Of each value passed, 256 bytes are copied, as db_bench does.
/// </summary>
sealed class SeekWorker(KeyValueStore store, BenchOptions options, KeySequence keys) : Worker
{
    const int CopiedBytes = 256;

    readonly byte[] key = KeyEncoding.NewKey(options.KeyBytes);
    readonly byte[] copy = new byte[CopiedBytes];
    long found;

    protected override int Step()
    {
        KeyEncoding.Write(key, keys.Next());
        var direction = options.Reverse ? ScanDirection.Backward : ScanDirection.Forward;
        var range = options.Reverse ? KeyRange.Between([], key) : KeyRange.From(key);
        using var cursor = store.Scan(range, direction);
        var isOnEntry = cursor.MoveNext();
        if (isOnEntry && cursor.Key.SequenceEqual(key)) found++;
        for (var i = 0; i < options.SeekNexts && isOnEntry; i++)
        {
            var value = cursor.Value;
            value[..Math.Min(value.Length, CopiedBytes)].CopyTo(copy);
            isOnEntry = cursor.MoveNext();
        }

        Found = found;
        return 1;
    }
}
