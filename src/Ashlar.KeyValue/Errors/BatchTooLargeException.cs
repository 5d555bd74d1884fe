using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A batch has outgrown <see cref="WriteBatch.MaxBytes"/>; the entry that would have done so was not added.
/// </summary>
public sealed class BatchTooLargeException(long lengthBytes, long limitBytes)
    : ArgumentException($"A batch has at most {limitBytes} bytes with its entry headers; this one would have {lengthBytes}."),
    IClassifiedFailure
{
    /// <summary>Length that the batch would have had.</summary>
    public long LengthBytes { get; } = lengthBytes;

    /// <summary>Largest batch.</summary>
    public long LimitBytes { get; } = limitBytes;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;
}
