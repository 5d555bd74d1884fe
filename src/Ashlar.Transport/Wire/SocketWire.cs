using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// A socket of TCP, or a Unix socket. To receive is one blocking call with a timeout of the kernel's; to send is one that does not
/// block, and a poll where it must wait.
/// </summary>
sealed class SocketWire : IWire
{
    const string WasCut = "this side has cut it"; // .NET has two lines for it, of objects that nobody outside knows.

    // Options of Linux's TCP that .NET has no names for.
    const int TcpLevel = 6, TcpQuickAck = 12, TcpUserTimeout = 18;

    readonly Socket socket;
    readonly bool isTcp;
    int receiveTimeout;

    public SocketWire(Socket socket, TimeSpan transferTimeout)
    {
        this.socket = socket;
        isTcp = socket.AddressFamily != AddressFamily.Unix;
        if (!isTcp) return; // The kernel knows at once when the other side has gone.
        socket.NoDelay = true;
        // Sent bytes that are not acknowledged for so long end the connection, also those that only the kernel still holds: a
        // client that lost its power in the middle of a reply would keep its place for a quarter of an hour.
        SetOption(TcpUserTimeout, Deadline.In(transferTimeout, TimeProvider.System).MillisecondsLeft);
        // One that lost its power while all was quiet is found out within about two minutes.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
    }

    public bool HasInput
    {
        get
        {
            try
            {
                return socket.Available > 0;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    public int Receive(Span<byte> destination, int timeoutMilliseconds)
    {
        try
        {
            // 0 would be for ever; each change is a system call.
            timeoutMilliseconds = Math.Max(1, timeoutMilliseconds);
            if (receiveTimeout != timeoutMilliseconds) socket.ReceiveTimeout = receiveTimeout = timeoutMilliseconds;
            return socket.Receive(destination, SocketFlags.None);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            // Where it was not our timeout but the kernel's verdict on a silent client, the next call sees the end.
            return IWire.TimedOut;
        }
        catch (SocketException e)
        {
            throw new WireException(e.Message, e);
        }
        catch (ObjectDisposedException e)
        {
            throw new WireException(WasCut, e);
        }
    }

    public int TrySend(ReadOnlySpan<byte> data)
    {
        try
        {
            var sent = PosixSocket.TrySend(socket.SafeHandle, data);
            if (sent >= 0) return sent;
            throw new WireException($"send failed: {Errno.Describe(-sent)}");
        }
        catch (ObjectDisposedException e)
        {
            throw new WireException(WasCut, e);
        }
    }

    public bool WaitUntilSendable(int timeoutMilliseconds)
    {
        try
        {
            return PosixSocket.WaitUntilWritable(socket.SafeHandle, timeoutMilliseconds);
        }
        catch (ObjectDisposedException e)
        {
            throw new WireException(WasCut, e);
        }
    }

    public void AcknowledgeNow()
    {
        if (!isTcp) return;
        try
        {
            SetOption(TcpQuickAck, 1);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Broken: the call that follows finds out.
        }
    }

    public void EndInput() => Shutdown(SocketShutdown.Receive);

    public void EndOutput() => Shutdown(SocketShutdown.Send);

    public void Dispose() => socket.Dispose();

    void Shutdown(SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already gone, which is what was wanted.
        }
    }

    void SetOption(int option, int value) =>
        socket.SetRawSocketOption(TcpLevel, option, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)));
}
