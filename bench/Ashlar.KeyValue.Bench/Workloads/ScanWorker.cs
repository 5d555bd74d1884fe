namespace Ashlar.KeyValue.Bench;

/// <summary>Reads the whole store in order, once; one entry is one operation.</summary>
sealed class ScanWorker(KeyValueStore store) : Worker, IDisposable
{
    readonly KeyValueCursor cursor = store.Scan(KeyRange.All);
    long bytes;

    protected override int Step()
    {
        if (!cursor.MoveNext()) return 0;
        bytes += cursor.Key.Length + cursor.Value.Length;
        return 1;
    }

    public void Dispose() => cursor.Dispose();
}
