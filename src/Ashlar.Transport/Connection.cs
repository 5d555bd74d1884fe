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

    // What becomes of bytes that arrive now. The handler takes them as part of a unit, or waits for them; once its wait is
    // ended by Drain, no byte starts a unit any more. Each change is one compare-and-swap, so a unit is never half taken.
    const int InputTaken = 0;
    const int InputAwaited = 1;
    const int InputEnded = 2;

    static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(1);

    readonly Socket socket;
    readonly TimeSpan transferTimeout;
    readonly Lock sendLock = new();
    readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(ReceiveBufferBytes);
    readonly CancellationTokenSource closing = new();
    int start;
    int end;
    Deadline handshakeDeadline;
    int input = InputTaken;
    volatile bool draining;
    ConnectionException? firstFailure;

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
        handshakeDeadline = Deadline.In(options.HandshakeTimeout);
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

    bool InHandshake => !handshakeDeadline.IsNever;

    /// <summary>Ends the time limit of the handshake; from now on only units of data in transfer are limited.</summary>
    public void HandshakeCompleted()
    {
        handshakeDeadline = Deadline.Never;
        socket.ReceiveTimeout = socket.SendTimeout = (int)transferTimeout.TotalMilliseconds;
    }

    /// <summary>Waits for the first byte of the next unit, for as long as the client likes to stay silent.</summary>
    /// <returns>False when the client has closed, or the listener is draining.</returns>
    /// <exception cref="ConnectionException">The connection broke, or the handshake took too long.</exception>
    public bool WaitForData()
    {
        while (BufferedBytes == 0)
        {
            // Either Drain sees that we wait and wakes us, or we see that it began: the exchange is a fence between the two.
            if (Interlocked.CompareExchange(ref input, InputAwaited, InputTaken) == InputEnded || draining) return false;
            try
            {
                start = end = 0;
                var received = ReceiveSome(buffer);
                if (Interlocked.CompareExchange(ref input, InputTaken, InputAwaited) == InputEnded || received == 0) return false;
                end = received;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                // Silence is allowed once the handshake is over; within it, ReceiveSome checks the deadline.
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

    /// <summary>Receives and forgets bytes, of a payload that is refused. All of them together may take as long as a unit.</summary>
    /// <exception cref="ConnectionException">The connection ended before, or the client was too slow.</exception>
    public void Skip(long byteCount)
    {
        var deadline = Deadline.In(transferTimeout);
        while (byteCount > 0)
        {
            if (BufferedBytes == 0) Refill(deadline);
            var skipped = (int)Math.Min(byteCount, BufferedBytes);
            start += skipped;
            byteCount -= skipped;
        }
    }

    /// <summary>
    /// Sends all of <paramref name="data"/>; calls from several threads follow one another. A failed send cuts the
    /// connection: part of the data may be on the wire, so nothing may follow it.
    /// </summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not take its replies off.</exception>
    public void Send(ReadOnlySpan<byte> data)
    {
        ConnectionException failure;
        lock (sendLock)
        {
            try
            {
                SendAll(data);
                return;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                var isTooSlow = e is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock };
                failure = !isTooSlow ? Broken(e) : InHandshake ? HandshakeTooSlow() : NotRead();
                // The thread that receives is about to stumble over the closed socket; it reports this cause.
                Interlocked.CompareExchange(ref firstFailure, failure, null);
                socket.Dispose();
            }
        }
        // Outside of the lock: what this wakes may want to send as well.
        Dispose();
        throw failure;
    }

    /// <summary>Cuts the connection from any thread: blocked calls on it end.</summary>
    public void Dispose()
    {
        socket.Dispose();
        closing.Cancel();
    }

    /// <summary>
    /// Ends input: a handler that waits for the next unit, or comes to wait for one, sees the end of the connection. A
    /// unit that <see cref="WaitForData"/> has announced is still received.
    /// </summary>
    internal void Drain()
    {
        draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref input) != InputAwaited) return;
        try
        {
            // Bytes that are here already wake the handler without us, and their unit is served. The swap may still lose to
            // bytes that come now; if it wins, they came too late.
            if (socket.Available > 0) return;
            if (Interlocked.CompareExchange(ref input, InputEnded, InputAwaited) != InputAwaited) return;
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
            var deadline = Deadline.In(LingerTimeout);
            socket.ReceiveTimeout = (int)LingerTimeout.TotalMilliseconds;
            while (socket.Receive(buffer, SocketFlags.None) > 0 && !deadline.IsOver)
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
            var leftMilliseconds = handshakeDeadline.MillisecondsLeft;
            if (leftMilliseconds == 0) throw HandshakeTooSlow();
            socket.ReceiveTimeout = leftMilliseconds;
        }
        var received = socket.Receive(destination, SocketFlags.None);
        if (received == 0 && firstFailure is { } failure) throw Broken(failure);
        return received;
    }

    void ReceiveFromSocket(Span<byte> destination)
    {
        var deadline = Deadline.In(transferTimeout);
        while (!destination.IsEmpty)
        {
            if (destination.Length >= DirectReceiveBytes)
            {
                destination = destination[ReceivePart(destination, deadline)..];
                continue;
            }
            // Small remainders go through the buffer, so that one call picks up the requests that follow.
            Refill(deadline);
            var taken = Math.Min(BufferedBytes, destination.Length);
            buffer.AsSpan(0, taken).CopyTo(destination);
            start = taken;
            destination = destination[taken..];
        }
    }

    void Refill(Deadline deadline)
    {
        start = end = 0;
        end = ReceivePart(buffer, deadline);
    }

    // Part of a unit. One call may begin just before the deadline and then wait as long again, no longer.
    int ReceivePart(Span<byte> destination, Deadline deadline)
    {
        if (deadline.IsOver) throw TooSlow();
        try
        {
            var received = ReceiveSome(destination);
            if (received == 0) throw EndedEarly();
            return received;
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

    void SendAll(ReadOnlySpan<byte> data)
    {
        var deadline = Deadline.In(transferTimeout);
        if (InHandshake)
        {
            deadline = Deadline.Earlier(deadline, handshakeDeadline);
            socket.SendTimeout = Math.Max(1, deadline.MillisecondsLeft);
        }
        while (true)
        {
            data = data[socket.Send(data, SocketFlags.None)..];
            if (data.IsEmpty) return;
            if (deadline.IsOver) throw new SocketException((int)SocketError.TimedOut);
        }
    }

    ConnectionException HandshakeTooSlow() => new($"connection {Id} from {RemoteEndPoint}: the handshake took too long");

    ConnectionException EndedEarly() => new($"connection {Id} from {RemoteEndPoint}: ended in the middle of a unit of data");

    ConnectionException TooSlow() => new($"connection {Id} from {RemoteEndPoint}: the client is too slow in the middle of a unit of data");

    ConnectionException NotRead() => new($"connection {Id} from {RemoteEndPoint}: the client does not read its replies");

    // The first cause counts: what follows it is only the closed socket.
    ConnectionException Broken(Exception cause) => firstFailure is { } failure
        ? new(failure.Message, failure)
        : new($"connection {Id} from {RemoteEndPoint}: broken: {cause.Message}", cause);
}
