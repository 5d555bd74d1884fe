namespace Ashlar.KeyValue.Files;

/// <summary>Files that the manifest does not list any more, and that wait for their last reader: a cursor, a snapshot's, a get.</summary>
sealed class KeptFiles
{
    long count;
    long bytes;

    public long Count => Volatile.Read(ref count);

    public long Bytes => Volatile.Read(ref bytes);

    public void Add(long fileBytes)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, fileBytes);
    }

    public void Remove(long fileBytes)
    {
        Interlocked.Decrement(ref count);
        Interlocked.Add(ref bytes, -fileBytes);
    }
}
