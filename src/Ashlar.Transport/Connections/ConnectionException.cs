using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>The connection ended, or the client was too slow, in the middle of a unit of data.</summary>
public sealed class ConnectionException(string message, Exception? innerException = null)
    : AshlarException(message, innerException);
