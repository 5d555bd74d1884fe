namespace Ashlar.Transport;

// What comes in, on the connection's own thread.
public sealed partial class Connection
{
    const int ReceiveBufferBytes = 128 * 1024;

    // Until the client has logged in: a crowd that does not shall take little memory.
    const int FirstBufferBytes = 2 * 1024;
    const int DirectReceiveBytes = ReceiveBufferBytes / 4;

    // Behind a large payload most often another one comes: what of it is received together with its header is copied once more.
    const int WindowAfterLargeBytes = 4 * 1024;

    // What becomes of bytes that arrive now. The handler takes them as part of a unit, or waits for them; once its wait is
    // ended by Drain, no byte starts a unit any more. Each change is one compare-and-swap, so a unit is never half taken.
    const int InputTaken = 0;
    const int InputAwaited = 1;
    const int InputEnded = 2;

    byte[] buffer = new byte[FirstBufferBytes];
    int start;
    int end;
    int window = ReceiveBufferBytes;
    int input = InputTaken;
    volatile bool draining;

    /// <summary>Bytes received and not consumed yet: while there are some, replies are better gathered than sent.</summary>
    public int BufferedBytes => end - start;

    /// <summary>Whether the client has sent more than was consumed. Receiving thread only.</summary>
    public bool HasInput => BufferedBytes > 0 || wire.HasInput;

    /// <summary>The bytes received and not consumed yet, to see how far they reach. Receiving thread only.</summary>
    public ReadOnlySpan<byte> Buffered => buffer.AsSpan(start, BufferedBytes);

    /// <summary>Waits for the first byte of the next unit, for as long as the client likes to stay silent.</summary>
    /// <returns>False when the client has closed, or the listener is draining.</returns>
    /// <exception cref="ConnectionException">The connection broke, or the handshake took too long.</exception>
    public bool WaitForData()
    {
        while (true)
        {
            switch (WaitForDataOnce())
            {
                case DataArrival.Arrived: return true;
                case DataArrival.Ended: return false;
            }
        }
    }

    /// <summary>
    /// Waits for the first byte of the next unit, but no longer than the time in which data must come that was asked for.
    /// </summary>
    /// <exception cref="ConnectionException">The connection broke, or the handshake took too long.</exception>
    public DataArrival WaitForDataOnce()
    {
        if (BufferedBytes > 0) return DataArrival.Arrived;
        // Either Drain sees that we wait and wakes us, or we see that it began: the exchange is a fence between the two.
        if (Interlocked.CompareExchange(ref input, InputAwaited, InputTaken) == InputEnded || draining) return DataArrival.Ended;
        EmptyBuffer();
        var received = ReceiveSome(buffer.AsSpan(0, Math.Min(window, buffer.Length)));
        var isDrained = Interlocked.CompareExchange(ref input, InputTaken, InputAwaited) == InputEnded;
        if (isDrained || received == 0) return DataArrival.Ended;
        // Silence is allowed once the handshake is over; within it, ReceiveSome checks the deadline.
        if (received == IWire.TimedOut) return DataArrival.None;
        end = received;
        window = ReceiveBufferBytes;
        return DataArrival.Arrived;
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
        if (!destination.IsEmpty) ReceiveFromWire(destination);
    }

    /// <summary>Receives and forgets bytes, of a payload that is refused. All of them together may take as long as a unit.</summary>
    /// <exception cref="ConnectionException">The connection ended before, or the client was too slow.</exception>
    public void Skip(long byteCount)
    {
        var deadline = Deadline.In(transferTimeout, time);
        while (byteCount > 0)
        {
            if (BufferedBytes == 0) Refill(deadline, ReceiveBufferBytes);
            var skipped = (int)Math.Min(byteCount, BufferedBytes);
            start += skipped;
            byteCount -= skipped;
        }
    }

    /// <summary>
    /// Ends input: a handler that waits for the next unit, or comes to wait for one, sees the end of the connection. A
    /// unit that <see cref="WaitForData"/> has announced is still received.
    /// </summary>
    public void Drain()
    {
        draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref input) != InputAwaited) return;
        // Bytes that are here already wake the handler without us, and their unit is served. The swap may still lose to
        // bytes that come now; if it wins, they came too late.
        if (wire.HasInput) return;
        if (Interlocked.CompareExchange(ref input, InputEnded, InputAwaited) != InputAwaited) return;
        wire.EndInput();
    }

    // In the handshake each call may take only what is left of the whole: a client that sends a byte now and then is
    // cut off at the deadline too. There, clients send a unit in two parts, the second after the first was acknowledged.
    int ReceiveSome(Span<byte> destination)
    {
        try
        {
            var timeout = transferTimeoutMilliseconds;
            if (InHandshake)
            {
                timeout = handshakeDeadline.MillisecondsLeft;
                if (timeout == 0) throw HandshakeTooSlow();
                wire.AcknowledgeNow();
            }
            var received = wire.Receive(destination, timeout);
            if (received == 0 && firstFailure is { } failure) throw Broken(failure);
            return received;
        }
        catch (WireException e)
        {
            throw Broken(e);
        }
    }

    void ReceiveFromWire(Span<byte> destination)
    {
        var deadline = Deadline.In(transferTimeout, time);
        while (!destination.IsEmpty)
        {
            if (destination.Length >= DirectReceiveBytes)
            {
                window = WindowAfterLargeBytes;
                destination = destination[ReceivePart(destination, deadline)..];
                continue;
            }
            // Small remainders go through the buffer, so that one call picks up the requests that follow.
            Refill(deadline, Math.Min(ReceiveBufferBytes, destination.Length + window));
            var taken = Math.Min(BufferedBytes, destination.Length);
            buffer.AsSpan(0, taken).CopyTo(destination);
            start = taken;
            destination = destination[taken..];
        }
    }

    void Refill(Deadline deadline, int mostBytes)
    {
        EmptyBuffer();
        end = ReceivePart(buffer.AsSpan(0, Math.Min(mostBytes, buffer.Length)), deadline);
    }

    // Grows it as well, while nothing is in it.
    void EmptyBuffer()
    {
        start = end = 0;
        if (isLoggedIn && buffer.Length < ReceiveBufferBytes) buffer = GC.AllocateUninitializedArray<byte>(ReceiveBufferBytes);
    }

    // Part of a unit. One call may begin just before the deadline and then wait as long again, no longer.
    int ReceivePart(Span<byte> destination, Deadline deadline)
    {
        if (deadline.IsOver) throw TooSlow();
        return ReceiveSome(destination) switch
        {
            IWire.TimedOut => throw (InHandshake ? HandshakeTooSlow() : TooSlow()),
            0 => throw EndedEarly(),
            var received => received,
        };
    }
}

/// <summary>What waiting for data led to.</summary>
public enum DataArrival
{
    /// <summary>Nothing came for as long as data that was asked for may take.</summary>
    None = 0,

    /// <summary>There are bytes.</summary>
    Arrived,

    /// <summary>The client has closed, or the listener is draining.</summary>
    Ended,
}
