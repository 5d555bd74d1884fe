using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>What a key holds is no number that could be incremented: it is not 8 bytes long. Nothing was written.</summary>
public sealed class CounterException : AshlarException, IClassifiedFailure
{
    internal CounterException(string directory, string key, int lengthBytes)
        : base($"{directory}: {key} is no counter: it holds {lengthBytes} bytes instead of 8") => LengthBytes = lengthBytes;

    /// <summary>Length of the value that is there.</summary>
    public int LengthBytes { get; }

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.Conflict;
}
