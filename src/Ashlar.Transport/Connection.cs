using System.Net;
using System.Net.Sockets;

namespace Ashlar.Transport;

/// <summary>
/// One TCP connection, read and written by blocking calls: a block target has few connections, and at depth 1 every
/// hand-over between threads costs more than the request. One thread receives; any thread may send.
/// </summary>
public sealed class Connection : IDisposable
{
    const int ReceiveBufferBytes = 128 * 1024;

    readonly Socket socket;
    readonly TimeSpan transferTimeout;
    readonly Lock sendLock = new();
    readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(ReceiveBufferBytes);
    int start;
    int end;
    long handshakeDeadline;
    volatile bool draining;

    internal Connection(Socket socket, long id, ListenerOptions options)
    {
        this.socket = socket;
        transferTimeout = options.TransferTimeout;
        Id = id;
        RemoteEndPoint = (IPEndPoint)socket.RemoteEndPoint!;
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        socket.NoDelay = true;
        socket.SendTimeout = (int)transferTimeout.TotalMilliseconds;
        handshakeDeadline = Environment.TickCount64 + (long)options.HandshakeTimeout.TotalMilliseconds;
        socket.ReceiveTimeout = (int)options.HandshakeTimeout.TotalMilliseconds;
    }

    /// <summary>Number of the connection since the listener started, for messages.</summary>
    public long Id { get; }

    /// <summary>The client's address.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>The address by which the client reached us.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Bytes received and not consumed yet: while there are some, replies are better gathered than sent.</summary>
    public int BufferedBytes => end - start;

    /// <summary>Ends the time limit of the handshake; from now on only units of data in transfer are limited.</summary>
    public void HandshakeCompleted()
    {
        handshakeDeadline = long.MaxValue;
        socket.ReceiveTimeout = (int)transferTimeout.TotalMilliseconds;
    }

    /// <summary>Waits for the first byte of the next unit, for as long as the client likes to stay silent.</summary>
    /// <returns>False when the client has closed, or the listener is draining.</returns>
    /// <exception cref="ConnectionException">The connection broke, or the handshake took too long.</exception>
    public bool WaitForData()
    {
        while (BufferedBytes == 0)
        {
            if (draining) return false;
            try
            {
                start = end = 0;
                end = socket.Receive(buffer, SocketFlags.None);
                if (end == 0) return false;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                CheckHandshakeDeadline();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw Broken(e);
            }
        }
        return true;
    }

    /// <summary>Receives until <paramref name="destination"/> is full.</summary>
    /// <exception cref="ConnectionException">The connection ended before, or the client was too slow.</exception>
    public void Receive(Span<byte> destination)
    {
        var buffered = Math.Min(BufferedBytes, destination.Length);
        if (buffered > 0)
        {
            buffer.AsSpan(start, buffered).CopyTo(destination);
            start += buffered;
            destination = destination[buffered..];
        }
        if (!destination.IsEmpty) ReceiveFromSocket(destination);
    }

    /// <summary>Receives and forgets bytes, of a payload that is refused.</summary>
    public void Skip(long byteCount)
    {
        Span<byte> scratch = stackalloc byte[4096];
        while (byteCount > 0)
        {
            var part = scratch[..(int)Math.Min(byteCount, scratch.Length)];
            Receive(part);
            byteCount -= part.Length;
        }
    }

    /// <summary>Sends all of <paramref name="data"/>; calls from several threads follow one another.</summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not take its replies off.</exception>
    public void Send(ReadOnlySpan<byte> data)
    {
        lock (sendLock)
        {
            var deadline = Environment.TickCount64 + (long)transferTimeout.TotalMilliseconds;
            try
            {
                while (!data.IsEmpty)
                {
                    data = data[socket.Send(data, SocketFlags.None)..];
                    if (!data.IsEmpty && Environment.TickCount64 > deadline)
                        throw new ConnectionException($"connection {Id} from {RemoteEndPoint}: the client does not read its replies");
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw Broken(e);
            }
        }
    }

    /// <summary>Cuts the connection from any thread: blocked calls on it end.</summary>
    public void Dispose() => socket.Dispose();

    /// <summary>Ends input: a handler that waits for the next unit sees the end of the connection.</summary>
    internal void Drain()
    {
        draining = true;
        try
        {
            socket.Shutdown(SocketShutdown.Receive);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already gone, which is what draining wants.
        }
    }

    void ReceiveFromSocket(Span<byte> destination)
    {
        var deadline = Math.Min(Environment.TickCount64 + (long)transferTimeout.TotalMilliseconds, handshakeDeadline);
        try
        {
            while (!destination.IsEmpty)
            {
                // Small remainders go through the buffer, so that one call picks up the requests that follow.
                int received;
                if (destination.Length >= ReceiveBufferBytes / 4)
                {
                    received = socket.Receive(destination, SocketFlags.None);
                    if (received == 0) throw EndedEarly();
                    destination = destination[received..];
                }
                else
                {
                    start = 0;
                    end = 0;
                    received = end = socket.Receive(buffer, SocketFlags.None);
                    if (received == 0) throw EndedEarly();
                    var taken = Math.Min(received, destination.Length);
                    buffer.AsSpan(0, taken).CopyTo(destination);
                    start = taken;
                    destination = destination[taken..];
                }
                if (!destination.IsEmpty && Environment.TickCount64 > deadline) throw TooSlow();
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw TooSlow();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    void CheckHandshakeDeadline()
    {
        if (Environment.TickCount64 >= handshakeDeadline)
            throw new ConnectionException($"connection {Id} from {RemoteEndPoint}: the handshake took too long");
    }

    ConnectionException EndedEarly() => new($"connection {Id} from {RemoteEndPoint}: ended in the middle of a unit of data");

    ConnectionException TooSlow() => new($"connection {Id} from {RemoteEndPoint}: the client is too slow in the middle of a unit of data");

    ConnectionException Broken(Exception cause) => new($"connection {Id} from {RemoteEndPoint}: broken: {cause.Message}", cause);
}
