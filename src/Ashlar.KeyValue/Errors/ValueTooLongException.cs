using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>A value is longer than the store takes.</summary>
public sealed class ValueTooLongException(int lengthBytes, int limitBytes)
    : ArgumentException($"A value has at most {limitBytes} bytes; this one has {lengthBytes}."), IClassifiedFailure
{
    /// <summary>Length of the refused value.</summary>
    public int LengthBytes { get; } = lengthBytes;

    /// <summary>Longest value.</summary>
    public int LimitBytes { get; } = limitBytes;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;
}
