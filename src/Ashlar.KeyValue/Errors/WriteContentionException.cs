using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A conditional write was overtaken by others too often to be decided: each time, memtables had become tables before it came to its
/// turn, or somebody had written the key that was to be changed. Nothing was written; it may be tried again.
/// </summary>
public sealed class WriteContentionException(string directory, int attempts)
    : AshlarException($"{directory}: a conditional write was overtaken by others {attempts} times"), IClassifiedFailure
{
    /// <summary>Directory of the store.</summary>
    public string Directory { get; } = directory;

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; } = attempts;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;
}
