using System.Net;
using System.Net.Sockets;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>An address and port, or a Unix socket, cannot be listened on.</summary>
/// <param name="listener">Name of the protocol.</param>
/// <param name="endPoint">The address and port, or the path; several, where a web server does not say which of them.</param>
/// <param name="cause">What was caught: the system's refusal, or what contains it.</param>
/// <param name="isLocal">Whether it is a Unix socket.</param>
public sealed class ListenException(string listener, string endPoint, Exception cause, bool isLocal = false)
    : AshlarException($"{listener}: cannot listen on {endPoint}: {Describe(cause, isLocal)}", cause)
{
    /// <summary>The address and port, or the path.</summary>
    public string EndPoint { get; } = endPoint;

    /// <summary>It is a Unix socket.</summary>
    public bool IsLocal { get; } = isLocal;

    /// <summary>Another program listens there.</summary>
    public bool IsTaken { get; } = ErrorOf(cause) == SocketError.AddressAlreadyInUse;

    /// <summary>The address is not one of this machine.</summary>
    public bool IsForeign { get; } = ErrorOf(cause) is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported;

    static string Describe(Exception cause, bool isLocal) => ErrorOf(cause) switch
    {
        SocketError.AddressAlreadyInUse => isLocal ? "another program listens there" : "the port is taken by another program",
        SocketError.AccessDenied => "permission denied",
        SocketError.AddressNotAvailable => "the address is not one of this machine",
        _ => cause.Message,
    };

    static SocketError? ErrorOf(Exception cause)
    {
        for (var each = cause; each is not null; each = each.InnerException)
            if (each is SocketException refusal) return refusal.SocketErrorCode;
        return null;
    }
}
