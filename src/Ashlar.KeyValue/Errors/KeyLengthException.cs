using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A key is empty or longer than the store takes.</summary>
public sealed class KeyLengthException(int lengthBytes, int limitBytes)
    : ArgumentException($"A key has 1 to {limitBytes} bytes; this one has {lengthBytes}."), IClassifiedFailure
{
    /// <summary>Length of the refused key.</summary>
    public int LengthBytes { get; } = lengthBytes;

    /// <summary>Longest key.</summary>
    public int LimitBytes { get; } = limitBytes;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;
}
