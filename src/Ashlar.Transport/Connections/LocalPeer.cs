using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ashlar.Transport;

/// <summary>A client on a Unix socket, as the kernel saw it when it connected.</summary>
/// <param name="processId">Its process.</param>
/// <param name="userId">Its user.</param>
public sealed class LocalPeer(int processId, int userId) : EndPoint
{
    /// <summary>What its text begins with.</summary>
    public const string Prefix = "unix:";

    // Options of Linux's sockets that .NET has no names for; the answer is three numbers: process, user, group.
    const int SocketLevel = 1, PeerCredentials = 17, CredentialsBytes = 12;

    /// <inheritdoc />
    public override AddressFamily AddressFamily => AddressFamily.Unix;

    /// <summary>"unix:uid=1000,pid=4711".</summary>
    public override string ToString() => $"{Prefix}uid={(uint)userId},pid={processId}";

    /// <summary>Who is at the other end of a socket; null where it is no Unix socket.</summary>
    internal static LocalPeer? Of(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix) return null;
        Span<byte> credentials = stackalloc byte[CredentialsBytes];
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == CredentialsBytes
            ? new(MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<int>(credentials[sizeof(int)..]))
            : throw new SocketException((int)SocketError.ProtocolOption);
    }
}
