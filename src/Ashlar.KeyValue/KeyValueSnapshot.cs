namespace Ashlar.KeyValue;

/// <summary>The store at one point in time.</summary>
public sealed class KeyValueSnapshot : IDisposable
{
    /// <summary>Reads a value as it was; null when the key was absent.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key) => throw new NotImplementedException();

    /// <summary>Opens a cursor over a range as it was.</summary>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward) => throw new NotImplementedException();

    /// <inheritdoc />
    public void Dispose() => throw new NotImplementedException();
}
