namespace Ashlar.Storage;

/// <summary>Base of every error that Ashlar raises on purpose. The message names what was wrong and where.</summary>
public abstract class AshlarException : Exception
{
    /// <summary>Creates the error with its message and, where one exists, its cause.</summary>
    protected AshlarException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
