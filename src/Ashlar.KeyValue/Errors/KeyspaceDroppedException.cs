using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>The keyspace was dropped; nothing was written to it.</summary>
public sealed class KeyspaceDroppedException(string name) : AshlarException($"The keyspace '{name}' was dropped."), IClassifiedFailure
{
    /// <summary>Name of the keyspace.</summary>
    public string Name { get; } = name;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.NotFound;
}
