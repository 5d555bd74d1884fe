using System.Net.Sockets;
using System.Text;

namespace Ashlar.CommandLine;

/// <summary>
/// Tells the service manager that started this process how it is: one datagram a state, to the socket that NOTIFY_SOCKET names
/// (sd_notify(3)).
/// Without that variable nobody is told.
/// </summary>
sealed class ServiceNotifier(string? socketPath)
{
    /// <summary>Everything listens: units that come after this one may start.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>It has begun to end.</summary>
    public void Stopping() => Send("STOPPING=1\nSTATUS=Stopping");

    void Send(string state)
    {
        if (socketPath is null) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            // '@' stands for the zero byte that begins a name outside of the file system.
            socket.Connect(new UnixDomainSocketEndPoint(socketPath.StartsWith('@') ? '\0' + socketPath[1..] : socketPath));
            socket.Send(Encoding.UTF8.GetBytes(state));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // A manager that cannot be told is no reason not to serve: it ends this process by its own time limit.
        }
    }
}
