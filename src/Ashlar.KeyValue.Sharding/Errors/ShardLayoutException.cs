using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A sharded store was to be opened with another layout than it was created with, or a plain store as a sharded one or the other
/// way round. Nothing was modified.
/// </summary>
public sealed class ShardLayoutException(string directory, string problem) : AshlarException($"{directory}: {problem}"), IClassifiedFailure
{
    /// <summary>Directory of the store.</summary>
    public string Directory { get; } = directory;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;
}
