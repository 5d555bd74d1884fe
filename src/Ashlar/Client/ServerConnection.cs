using System.Net.Sockets;

namespace Ashlar.CommandLine;

/// <summary>
/// Connects to a server so that a request may take as long as the server works on it: whether it still lives is asked by the
/// kernel, not by a clock. One that died closes the connection; a machine that vanished no longer answers probes.
/// </summary>
static class ServerConnection
{
    const int IdleSecondsBeforeProbe = 15;
    const int SecondsBetweenProbes = 5;
    const int LostProbes = 3;

    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSecondsBeforeProbe);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, SecondsBetweenProbes);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, LostProbes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
