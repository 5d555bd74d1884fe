namespace Ashlar.KeyValue.Errors;

/// <summary>Carries a failure after which it is unknown what the disk holds, to where the store is poisoned.</summary>
sealed class InDoubtException(Exception cause) : Exception(cause.Message, cause)
{
    public Exception Cause { get; } = cause;
}
