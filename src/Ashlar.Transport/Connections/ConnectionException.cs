using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>The connection ended, or the client was too slow, in the middle of a unit of data.</summary>
public sealed class ConnectionException(string message, Exception? innerException = null)
    : AshlarException(message, innerException);

/// <summary>An address and port cannot be listened on.</summary>
public sealed class ListenException(string listener, string endPoint, string reason, Exception innerException)
    : AshlarException($"{listener}: cannot listen on {endPoint}: {reason}", innerException)
{
    /// <summary>The address and port.</summary>
    public string EndPoint { get; } = endPoint;
}
