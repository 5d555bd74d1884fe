using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A batch was to delete more ranges than <see cref="WriteBatch.MaxRangeDeletes"/>; the one that was too many was not added. The batch may
/// be written as it is, and the rest with another.
/// </summary>
public sealed class TooManyRangeDeletesException(int limit)
    : ArgumentException($"A batch deletes at most {limit} ranges; this would be one more."), IClassifiedFailure
{
    /// <summary>How many there may be.</summary>
    public int Limit { get; } = limit;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;
}
