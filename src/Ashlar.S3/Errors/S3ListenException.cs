using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>An address and port cannot be listened on.</summary>
/// <param name="endPoint">The address and port; several, where the web server does not say which of them.</param>
/// <param name="cause">What was caught: the system's refusal, or what contains it.</param>
public sealed class S3ListenException(string endPoint, Exception cause)
    : AshlarException($"s3: cannot listen on {endPoint}: {Describe(cause)}", cause)
{
    /// <summary>The address and port.</summary>
    public string EndPoint { get; } = endPoint;

    /// <summary>Another program listens there.</summary>
    public bool IsTaken { get; } = ErrorOf(cause) == SocketError.AddressAlreadyInUse;

    static string Describe(Exception cause) => ErrorOf(cause) switch
    {
        SocketError.AddressAlreadyInUse => "the port is taken by another program",
        SocketError.AccessDenied => "permission denied",
        SocketError.AddressNotAvailable => "the address is not one of this machine",
        _ => cause.Message,
    };

    static SocketError? ErrorOf(Exception cause)
    {
        for (var each = cause; each is not null; each = each.InnerException!)
            if (each is SocketException refusal) return refusal.SocketErrorCode;
        return null;
    }
}
