using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Keys that begin with FF FF FF FF belong to the keyspaces of a store that has any: none was written, or some are in the way.
/// </summary>
public sealed class ReservedKeyException(string problem) : AshlarException(problem), IClassifiedFailure
{
    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;
}
