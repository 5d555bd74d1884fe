namespace Ashlar.KeyValue.Rivals;

/// <summary>A store under measurement: keys and values of bytes.</summary>
interface IContender : IDisposable
{
    /// <summary>Whether it can walk its entries in the order of their keys.</summary>
    bool IsOrdered { get; }

    /// <summary>Puts entries that need not be durable yet; the fastest way that it offers.</summary>
    void Load(IEnumerable<(byte[] Key, byte[] Value)> entries);

    /// <summary>A reader for one thread.</summary>
    IReader OpenReader();

    /// <summary>Walks everything in order and touches each byte of key and value; gives the number of entries and a sum.</summary>
    (long Entries, long Sum) Scan();

    /// <summary>Puts one entry, durable when this returns.</summary>
    void PutDurably(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);
}

interface IReader : IDisposable
{
    /// <summary>Copies a value; gives its length, or -1 when the key is absent.</summary>
    int Get(ReadOnlySpan<byte> key, Span<byte> destination);
}
