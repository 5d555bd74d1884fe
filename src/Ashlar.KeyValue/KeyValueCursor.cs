namespace Ashlar.KeyValue;

/// <summary>Order of a scan.</summary>
public enum ScanDirection
{
    /// <summary>Ascending keys.</summary>
    Forward = 0,

    /// <summary>Descending keys.</summary>
    Backward,
}

/// <summary>Walks a range in key order. Not safe for concurrent callers.</summary>
public sealed class KeyValueCursor : IDisposable
{
    /// <summary>The current key; valid until the next call of <see cref="MoveNext"/>.</summary>
    public ReadOnlySpan<byte> Key => throw new NotImplementedException();

    /// <summary>The current value; valid until the next call of <see cref="MoveNext"/>.</summary>
    public ReadOnlySpan<byte> Value => throw new NotImplementedException();

    /// <summary>Moves to the first, then to the next entry; false at the end of the range.</summary>
    public bool MoveNext() => throw new NotImplementedException();

    /// <inheritdoc />
    public void Dispose() => throw new NotImplementedException();
}
