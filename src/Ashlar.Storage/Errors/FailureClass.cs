namespace Ashlar.Storage;

/// <summary>What a failure means to whoever asked: for programs that report errors of layers that they do not know.</summary>
public enum FailureClass
{
    /// <summary>It did not work; the message says why.</summary>
    Failed = 0,

    /// <summary>What was asked for is not possible: a key is too long, a block does not exist.</summary>
    InvalidRequest,

    /// <summary>What was asked for is not there.</summary>
    NotFound,

    /// <summary>What is there is not of the kind that was asked for.</summary>
    Conflict,

    /// <summary>Stored data is damaged.</summary>
    Damaged,

    /// <summary>No space is left.</summary>
    NoSpace,
}

/// <summary>An error that says what it means.</summary>
public interface IClassifiedFailure
{
    /// <summary>What it means.</summary>
    FailureClass FailureClass { get; }
}
