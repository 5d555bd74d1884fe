namespace Ashlar.KeyValue;

/// <summary>Puts and deletes that are applied together or not at all. Later entries win over earlier ones.</summary>
public sealed class WriteBatch
{
    /// <summary>Number of operations.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>Adds a put. Key and value are copied.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>Adds a delete.</summary>
    public void Delete(ReadOnlySpan<byte> key) => throw new NotImplementedException();

    /// <summary>Makes the batch empty again; its memory is kept.</summary>
    public void Clear() => throw new NotImplementedException();
}
