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
    const int DirectReceiveBytes = ReceiveBufferBytes / 4;
    static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(1);

    readonly Socket socket;
    readonly TimeSpan transferTimeout;
    readonly Lock sendLock = new();
    readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(ReceiveBufferBytes);
    readonly CancellationTokenSource closing = new();
    int start;
    int end;
    long handshakeDeadline;
    int waiting;
    volatile bool draining;

    internal Connection(Socket socket, long id, ListenerOptions options)
    {
        this.socket = socket;
        transferTimeout = options.TransferTimeout;
        Id = id;
        RemoteEndPoint = (IPEndPoint)socket.RemoteEndPoint!;
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        Closed = closing.Token;
        socket.NoDelay = true;
        KeepAlive(socket);
        socket.SendTimeout = (int)transferTimeout.TotalMilliseconds;
        handshakeDeadline = Environment.TickCount64 + (long)options.HandshakeTimeout.TotalMilliseconds;
    }

    /// <summary>Number of the connection since the listener started, for messages.</summary>
    public long Id { get; }

    /// <summary>The client's address.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>The address by which the client reached us.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Bytes received and not consumed yet: while there are some, replies are better gathered than sent.</summary>
    public int BufferedBytes => end - start;

    /// <summary>The bytes received and not consumed yet, to see how far they reach. Receiving thread only.</summary>
    public ReadOnlySpan<byte> Buffered => buffer.AsSpan(start, BufferedBytes);

    /// <summary>Fires when the connection is cut, so that work begun for its client can be given up.</summary>
    public CancellationToken Closed { get; }

    bool InHandshake => handshakeDeadline != long.MaxValue;

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
            // Either Drain sees that we wait and wakes us, or we see that it began: the fence orders the two.
            Volatile.Write(ref waiting, 1);
            Interlocked.MemoryBarrier();
            if (draining) return false;
            try
            {
                start = end = 0;
                end = ReceiveSome(buffer);
                if (end == 0) return false;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                // Silence is allowed once the handshake is over; within it, ReceiveSome checks the deadline.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw Broken(e);
            }
            Volatile.Write(ref waiting, 0);
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

    /// <summary>
    /// Sends all of <paramref name="data"/>; calls from several threads follow one another. A failed send cuts the
    /// connection: part of the data may be on the wire, so nothing may follow it.
    /// </summary>
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
                    if (!data.IsEmpty && Environment.TickCount64 > deadline) throw new SocketException((int)SocketError.TimedOut);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Dispose();
                throw e is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock } ? NotRead() : Broken(e);
            }
        }
    }

    /// <summary>Cuts the connection from any thread: blocked calls on it end.</summary>
    public void Dispose()
    {
        socket.Dispose();
        closing.Cancel();
    }

    /// <summary>
    /// Ends input: a handler that waits for the next unit, or comes to wait for one, sees the end of the connection. A
    /// unit whose first byte has arrived is still received.
    /// </summary>
    internal void Drain()
    {
        draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref waiting) == 0) return;
        try
        {
            socket.Shutdown(SocketShutdown.Receive);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Already gone, which is what draining wants.
        }
    }

    /// <summary>
    /// Says goodbye before the socket is closed: closing with unread input would reset the connection, and the reset may
    /// overtake the last replies. So output ends first, and what still comes in is read off for a moment.
    /// </summary>
    internal void Linger()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            var deadline = Environment.TickCount64 + (long)LingerTimeout.TotalMilliseconds;
            socket.ReceiveTimeout = (int)LingerTimeout.TotalMilliseconds;
            while (socket.Receive(buffer, SocketFlags.None) > 0 && Environment.TickCount64 < deadline)
            {
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client has gone first.
        }
    }

    // A client that lost its power says nothing: keep-alive finds it out within about two minutes.
    static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
    }

    // In the handshake each call may take only what is left of the whole: a client that sends a byte now and then is
    // cut off at the deadline too.
    int ReceiveSome(Span<byte> destination)
    {
        if (InHandshake)
        {
            var leftMilliseconds = handshakeDeadline - Environment.TickCount64;
            if (leftMilliseconds <= 0) throw HandshakeTooSlow();
            socket.ReceiveTimeout = (int)leftMilliseconds;
        }
        return socket.Receive(destination, SocketFlags.None);
    }

    void ReceiveFromSocket(Span<byte> destination)
    {
        var deadline = Environment.TickCount64 + (long)transferTimeout.TotalMilliseconds;
        try
        {
            while (!destination.IsEmpty)
            {
                // Small remainders go through the buffer, so that one call picks up the requests that follow.
                int received;
                if (destination.Length >= DirectReceiveBytes)
                {
                    received = ReceiveSome(destination);
                    if (received == 0) throw EndedEarly();
                    destination = destination[received..];
                }
                else
                {
                    start = 0;
                    end = 0;
                    received = end = ReceiveSome(buffer);
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
            throw InHandshake ? HandshakeTooSlow() : TooSlow();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    ConnectionException HandshakeTooSlow() => new($"connection {Id} from {RemoteEndPoint}: the handshake took too long");

    ConnectionException EndedEarly() => new($"connection {Id} from {RemoteEndPoint}: ended in the middle of a unit of data");

    ConnectionException TooSlow() => new($"connection {Id} from {RemoteEndPoint}: the client is too slow in the middle of a unit of data");

    ConnectionException NotRead() => new($"connection {Id} from {RemoteEndPoint}: the client does not read its replies");

    ConnectionException Broken(Exception cause) => new($"connection {Id} from {RemoteEndPoint}: broken: {cause.Message}", cause);
}
