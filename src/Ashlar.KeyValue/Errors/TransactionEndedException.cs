using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Where a transaction stands.</summary>
public enum TransactionState
{
    /// <summary>It may be read from, written to and committed.</summary>
    Open = 0,

    /// <summary>A commit is under way.</summary>
    Committing,

    /// <summary>It took effect.</summary>
    Committed,

    /// <summary>It was given up, or disposed without a commit: nothing of it was written.</summary>
    RolledBack,

    /// <summary>Its commit met a conflict: nothing of it was written.</summary>
    Conflicted,

    /// <summary>Its commit failed so that nobody knows whether it took effect; the store refuses writes.</summary>
    InDoubt,
}

/// <summary>A transaction that has ended, or is being committed, cannot be used.</summary>
public sealed class TransactionEndedException(TransactionState state)
    : InvalidOperationException($"The transaction cannot be used: it is {Describe(state)}."), IClassifiedFailure
{
    /// <summary>Where it stands.</summary>
    public TransactionState State { get; } = state;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;

    static string Describe(TransactionState state) => state switch
    {
        TransactionState.Committing => "being committed",
        TransactionState.Committed => "committed",
        TransactionState.Conflicted => "given up because of a conflict",
        TransactionState.InDoubt => "in doubt",
        _ => "rolled back",
    };
}
