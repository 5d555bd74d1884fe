using System.Net.Security;

namespace Ashlar.Transport;

/// <summary>
/// TLS over another wire. What comes in is decrypted a record at a time, when all of the record is there, so a wait can end without
/// losing the half of one; what leaves is encrypted at once and sent as far as it goes.
/// </summary>
/// <remarks>
/// Invariant of sending: what was encrypted is never encrypted again. Bytes that were taken from a caller who was told that none were taken
/// are counted (<c>ahead</c>), and when he offers them again they count as sent once their record has left.
/// </remarks>
sealed class TlsWire : IWire
{
    const int HeaderBytes = 5, MaxPlainBytes = 1 << 14, MaxRecordBytes = HeaderBytes + MaxPlainBytes + 2048;
    const int SendPieceBytes = 4 * MaxPlainBytes;

    readonly IWire inner;
    readonly SslStream tls;
    readonly byte[] received = GC.AllocateUninitializedArray<byte>(2 * MaxRecordBytes);
    readonly byte[] plain = GC.AllocateUninitializedArray<byte>(MaxPlainBytes);
    readonly Lock gate = new(); // Of what leaves: answers to messages of TLS come from the thread that receives.
    readonly MemoryStream leaving = new();
    int receivedStart, receivedEnd, recordLeft, plainStart, plainEnd, leavingStart, ahead;
    Func<int> patience = static () => 0;

    TlsWire(IWire inner)
    {
        this.inner = inner;
        tls = new SslStream(new Records(this), leaveInnerStreamOpen: true);
    }

    public bool HasInput => plainEnd > plainStart || HasRecord || inner.HasInput;

    int Available => receivedEnd - receivedStart;

    // What is left of one that was begun, or all of the next.
    bool HasRecord => recordLeft > 0 ? Available >= recordLeft : Available >= HeaderBytes && Available >= RecordBytes;

    // Type (1), version (2), length (2), big-endian (RFC 8446, 5.1).
    int RecordBytes => HeaderBytes + (received[receivedStart + 3] << 8 | received[receivedStart + 4]);

    /// <summary>Shakes hands as the server.</summary>
    /// <param name="inner">Where it goes over; disposed of with the result.</param>
    /// <param name="options">Certificate and rules.</param>
    /// <param name="millisecondsLeft">How long the client may still take; 0 when its time is over.</param>
    /// <exception cref="WireException">The client does not speak TLS, is refused, or was too slow.</exception>
    public static TlsWire Accept(IWire inner, SslServerAuthenticationOptions options, Func<int> millisecondsLeft)
    {
        var wire = new TlsWire(inner) { patience = millisecondsLeft };
        try
        {
            wire.tls.AuthenticateAsServer(options);
            wire.FlushAll();
            return wire;
        }
        catch (Exception e) when (IsFailure(e))
        {
            wire.tls.Dispose();
            throw Broken(e);
        }
    }

    public int Receive(Span<byte> destination, int timeoutMilliseconds)
    {
        if (plainEnd == plainStart)
        {
            var until = Environment.TickCount64 + timeoutMilliseconds;
            int Left() => (int)Math.Max(0, until - Environment.TickCount64);
            while (!HasRecord)
            {
                var count = Fill(Math.Max(1, Left()));
                if (count <= 0) return count;
            }
            patience = Left;
            try
            {
                (plainStart, plainEnd) = (0, tls.Read(plain, 0, plain.Length));
                FlushLeaving();
            }
            catch (Exception e) when (IsFailure(e))
            {
                if (e is TimeoutException || e.InnerException is TimeoutException) return IWire.TimedOut;
                throw Broken(e);
            }
        }
        var taken = Math.Min(destination.Length, plainEnd - plainStart);
        plain.AsSpan(plainStart, taken).CopyTo(destination);
        plainStart += taken;
        return taken;
    }

    public int TrySend(ReadOnlySpan<byte> data)
    {
        if (!FlushLeaving()) return 0;
        if (ahead == 0)
        {
            var piece = data[..Math.Min(data.Length, SendPieceBytes)];
            try
            {
                tls.Write(piece); // Not under the gate: the thread that receives may hold locks of TLS when it takes that.
            }
            catch (Exception e) when (IsFailure(e))
            {
                throw Broken(e);
            }
            ahead = piece.Length;
            if (!FlushLeaving()) return 0;
        }
        var sent = Math.Min(ahead, data.Length);
        ahead -= sent;
        return sent;
    }

    public bool WaitUntilSendable(int timeoutMilliseconds) => inner.WaitUntilSendable(timeoutMilliseconds);

    public void AcknowledgeNow() => inner.AcknowledgeNow();

    public void EndInput() => inner.EndInput();

    /// <inheritdoc/>
    /// <remarks>The client is told that this is all, so that nobody can cut off the end unseen.</remarks>
    public void EndOutput()
    {
        try
        {
            tls.ShutdownAsync().GetAwaiter().GetResult(); // Into memory: it never waits.
            FlushLeaving();
        }
        catch (Exception e) when (IsFailure(e))
        {
            // Already gone, which is what was wanted.
        }
        inner.EndOutput();
    }

    public void Dispose()
    {
        inner.Dispose(); // First: whoever waits on it ends.
        tls.Dispose();
    }

    /// <summary>Takes what has come, for at most so long.</summary>
    int Fill(int timeoutMilliseconds)
    {
        if (receivedStart > 0)
        {
            received.AsSpan(receivedStart, Available).CopyTo(received);
            (receivedStart, receivedEnd) = (0, Available);
        }
        // The length is the client's to say: one that is longer than records are would never be whole.
        if (recordLeft == 0 && Available >= HeaderBytes && RecordBytes > MaxRecordBytes)
            throw new WireException($"a record of TLS of {RecordBytes} bytes: {MaxRecordBytes} is the most");
        var count = inner.Receive(received.AsSpan(receivedEnd), timeoutMilliseconds);
        if (count > 0) receivedEnd += count;
        return count;
    }

    /// <summary>Sends what is encrypted, as far as it goes.</summary>
    /// <returns>Whether all of it has left.</returns>
    bool FlushLeaving()
    {
        lock (gate)
        {
            while (leavingStart < leaving.Length)
            {
                var sent = inner.TrySend(leaving.GetBuffer().AsSpan(leavingStart, (int)leaving.Length - leavingStart));
                if (sent == 0) return false;
                leavingStart += sent;
            }
            leaving.SetLength(0);
            leavingStart = 0;
            return true;
        }
    }

    void FlushAll()
    {
        while (!FlushLeaving())
            if (patience() is var left && (left == 0 || !inner.WaitUntilSendable(left))) throw new TimeoutException();
    }

    static bool IsFailure(Exception e) => e is WireException or IOException or System.Security.Authentication.AuthenticationException
        or ObjectDisposedException or InvalidOperationException or NotSupportedException or TimeoutException
        or System.ComponentModel.Win32Exception;

    static WireException Broken(Exception e) => e as WireException ?? new($"TLS: {(e.InnerException ?? e).Message}", e);

    /// <summary>What TLS reads and writes: records that have come, and memory that leaves.</summary>
    sealed class Records(TlsWire wire) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> destination)
        {
            // Never more than one record: what TLS takes ahead of its needs could not be waited for any more.
            if (wire.recordLeft == 0)
            {
                while (wire.Available < HeaderBytes)
                    if (!TryFill()) return 0;
                if (wire.RecordBytes > MaxRecordBytes) throw new IOException($"a record of {wire.RecordBytes} bytes");
                wire.recordLeft = wire.RecordBytes;
            }
            if (wire.Available == 0 && !TryFill()) return 0;
            var taken = Math.Min(destination.Length, Math.Min(wire.Available, wire.recordLeft));
            wire.received.AsSpan(wire.receivedStart, taken).CopyTo(destination);
            wire.receivedStart += taken;
            wire.recordLeft -= taken;
            return taken;
        }

        // Only while shaking hands, and behind messages of TLS that carry no data, is there nothing yet.
        bool TryFill()
        {
            wire.FlushAll();
            var left = wire.patience();
            return (left == 0 ? IWire.TimedOut : wire.Fill(left)) switch
            {
                IWire.TimedOut => throw new TimeoutException(),
                0 => false,
                _ => true,
            };
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        // Never waits, and so is done when it returns.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span));

        public override void Write(ReadOnlySpan<byte> source)
        {
            lock (wire.gate) wire.leaving.Write(source);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
