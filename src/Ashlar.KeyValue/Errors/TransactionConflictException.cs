using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Somebody has written what a transaction has read, or it has expired, so the transaction would not be what it was meant to be. Nothing of
/// it was written. Begin another, which reads anew.
/// </summary>
public sealed class TransactionConflictException : AshlarException, IClassifiedFailure
{
    internal TransactionConflictException(string directory, ReadOnlyMemory<byte> key, string keyText, string? keyspace)
        : base(
            $"{directory}: a transaction has read {keyText}{(keyspace is null ? "" : $" of the keyspace '{keyspace}'")}, "
                + "which was written or has expired since") => (Key, KeyspaceName) = (key, keyspace);

    internal TransactionConflictException(string directory, int attempts)
        : base($"{directory}: a transaction was overtaken by others {attempts} times before it was known whether it conflicts with them")
    {
    }

    /// <summary>The key; empty where the store was too busy to tell.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Name of the keyspace that the key is of; null outside of keyspaces, and where it was dropped meanwhile.</summary>
    public string? KeyspaceName { get; }

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;
}
