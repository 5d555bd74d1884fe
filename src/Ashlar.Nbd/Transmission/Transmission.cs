using Ashlar.Blocks;
using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

/// <summary>
/// Serves the requests of one connection. Its thread receives a request, carries it out on the spot and gathers the reply;
/// the gathered replies are sent when no further request has been received yet. A request that its device does not
/// complete synchronously is finished, and answered, elsewhere, and the thread goes on.
/// </summary>
sealed partial class Transmission : IDisposable
{
    /// <summary>Requests of one client that its device has not completed at once.</summary>
    public const int MaxInFlight = 128;

    const long MaxInFlightBytes = 64L << 20;

    // A write too long to be carried out can still be read off; beyond this it is cheaper to hang up.
    const ulong MaxSkippedPayloadBytes = 2u * NbdProtocol.MaximumPayloadBytes;

    readonly Connection connection;
    readonly NegotiatedSession session;
    readonly BufferShare buffers;
    readonly Action<string> report;
    readonly ClientSession volume;
    readonly bool isReadOnly;
    readonly ReplyBatch batch;
    readonly InFlightRequests inFlight = new(MaxInFlight, MaxInFlightBytes);
    readonly LoneRequests lone;
    readonly CancellationTokenSource givingUp = new();
    readonly CancellationToken givenUp; // Of every request: nobody wants it any more.
    readonly CancellationTokenRegistration onClosed;
    readonly CancellationTokenRegistration onCut;
    volatile bool hasDisconnected;
    PooledBuffer? payload; // Kept while requests follow one another; see ReleaseIdleBuffers.
    int failures;

    public Transmission(Connection connection, NegotiatedSession session, BufferShare buffers, Action<string> report)
    {
        this.connection = connection;
        this.session = session;
        this.buffers = buffers;
        this.report = report;
        volume = session.Export.Session;
        isReadOnly = volume.IsReadOnly;
        batch = new(connection, buffers, inFlight);
        lone = new(connection, () => inFlight.Count > 0);
        givenUp = givingUp.Token;
        // Who said that he disconnects need not wait for the replies: his requests are carried out (doc/proto.md).
        onClosed = connection.Closed.UnsafeRegister(
            static state =>
            {
                var transmission = (Transmission)state!;
                if (!transmission.hasDisconnected) transmission.givingUp.Cancel();
            },
            this);
        onCut = connection.WasCut.UnsafeRegister(static state => ((Transmission)state!).givingUp.Cancel(), this);
    }

    /// <summary>Serves until the client disconnects, the server drains or the connection breaks.</summary>
    public void Run(CancellationToken draining)
    {
        try
        {
            RequestHeader request;
            while (TryReceive(out request) && request.Command != CommandCode.Disconnect)
            {
                if (inFlight.IsFull || connection.HasBacklog)
                {
                    batch.Send();
                    inFlight.WaitForRoom();
                }
                using (lone.Begin()) Serve(request, draining.IsCancellationRequested);
                lone.End();
            }
            hasDisconnected = request.Command == CommandCode.Disconnect;
            batch.Send();
            // Who just ends has left.
            if (!hasDisconnected && !draining.IsCancellationRequested) volume.GiveUpWaiting();
        }
        catch
        {
            if (!hasDisconnected) connection.Dispose(); // Gives up what is in flight: nobody is left to answer.
            throw;
        }
        finally
        {
            // The lease on the device ends after this: no write of this client may land later. What waits for the client to
            // take it off is in flight as well, until it has left or the client is cut off.
            inFlight.WaitForAll();
        }
    }

    public void Dispose()
    {
        onClosed.Dispose();
        onCut.Dispose();
        givingUp.Dispose();
        batch.Dispose();
        payload?.Dispose();
        payload = null;
    }

    bool TryReceive(out RequestHeader request)
    {
        request = default;
        lone.TakeNext();
        var isExtended = session.Style == HeaderStyle.Extended;
        var sizeBytes = isExtended ? ExtendedRequestHeader.SizeBytes : RequestHeader.SizeBytes;
        if (connection.BufferedBytes < sizeBytes)
        {
            batch.Send();
            if (connection.BufferedBytes == 0)
            {
                ReleaseIdleBuffers();
                if (!connection.WaitForData()) return false;
            }
        }
        Span<byte> headerBytes = stackalloc byte[ExtendedRequestHeader.SizeBytes];
        headerBytes = headerBytes[..sizeBytes];
        connection.Receive(headerBytes);
        lone.Arrived();
        if (!(isExtended ? ExtendedRequestHeader.TryRead(headerBytes, out request) : RequestHeader.TryRead(headerBytes, out request)))
            throw Violation("wrong magic number of a request");
        return true;
    }

    void Serve(in RequestHeader request, bool isDraining)
    {
        var error = isDraining ? NbdError.Shutdown : RequestRules.Check(request, session, volume.SizeBytes, isReadOnly);
        if (error != NbdError.None)
        {
            SkipPayload(RequestRules.PayloadBytes(request, session.Style));
            AddError(request, error);
            return;
        }
        switch (request.Command)
        {
            case CommandCode.Read:
                Read(request);
                break;
            case CommandCode.Write:
                Write(request);
                break;
            case CommandCode.BlockStatus:
                BlockStatus(request);
                break;
            default:
                TakeEffect(request);
                break;
        }
    }

    void SkipPayload(ulong lengthBytes)
    {
        if (lengthBytes > MaxSkippedPayloadBytes) throw Violation($"{lengthBytes} bytes behind a request");
        if ((ulong)connection.BufferedBytes < lengthBytes) batch.Send();
        connection.Skip((long)lengthBytes);
    }

    // An idle connection holds no buffers but its own for receiving.
    void ReleaseIdleBuffers()
    {
        payload?.Dispose();
        payload = null;
    }

    void AddSuccess(in RequestHeader request)
    {
        var length = WriteSuccess(batch.Reserve(MaxSuccessReplyBytes).Span, request);
        batch.Commit(length);
    }

    void AddError(in RequestHeader request, NbdError error)
    {
        Span<byte> reply = stackalloc byte[MaxErrorReplyBytes];
        var length = WriteError(reply, request, error);
        reply[..length].CopyTo(batch.Reserve(length).Span);
        batch.Commit(length);
    }

    void AddFailure(in RequestHeader request, Exception exception) => AddError(request, Explain(request, exception));

    /// <summary>The error to answer. What the client cannot know is told to the operator, once for each connection.</summary>
    NbdError Explain(in RequestHeader request, Exception exception)
    {
        var error = RequestErrors.Of(exception, request.Command);
        if (error == NbdError.InputOutput && Interlocked.Increment(ref failures) == 1)
        {
            report($"nbd: connection {connection.Id} from {connection.RemoteEndPoint}: {request.Command} of {request.LengthBytes} bytes "
                + $"at {request.OffsetBytes} failed, further failures of this connection are not reported: "
                + $"{exception.GetType().Name}: {exception.Message}");
        }
        return error;
    }

    const int MaxSuccessReplyBytes = ExtendedChunkHeader.SizeBytes;
    const int MaxErrorReplyBytes = ExtendedChunkHeader.SizeBytes + ErrorPayload.SizeBytes + 64;

    /// <summary>How long the header of a chunk is, of clients that understand chunks.</summary>
    int ChunkHeaderBytes => session.Style == HeaderStyle.Extended ? ExtendedChunkHeader.SizeBytes : ChunkHeader.SizeBytes;

    void WriteChunkHeader(Span<byte> target, in RequestHeader request, ChunkFlags flags, ChunkCode type, int payloadBytes)
    {
        if (session.Style == HeaderStyle.Extended)
            new ExtendedChunkHeader(flags, type, request.Cookie, request.OffsetBytes, (ulong)payloadBytes).Write(target);
        else
            new ChunkHeader(flags, type, request.Cookie, (uint)payloadBytes).Write(target);
    }

    // A client with extended headers gets no simple replies.
    int WriteSuccess(Span<byte> target, in RequestHeader request)
    {
        if (session.Style == HeaderStyle.Extended)
        {
            WriteChunkHeader(target, request, ChunkFlags.Done, ChunkCode.None, 0);
            return ExtendedChunkHeader.SizeBytes;
        }
        new SimpleReplyHeader(NbdError.None, request.Cookie).Write(target);
        return SimpleReplyHeader.SizeBytes;
    }

    int WriteError(Span<byte> target, in RequestHeader request, NbdError error)
    {
        if (!session.HasChunks)
        {
            new SimpleReplyHeader(error, request.Cookie).Write(target);
            return SimpleReplyHeader.SizeBytes;
        }
        var message = RequestErrors.MessageOf(error);
        var payloadBytes = ErrorPayload.SizeBytes + message.Length;
        WriteChunkHeader(target, request, ChunkFlags.Done, ChunkCode.Error, payloadBytes);
        new ErrorPayload(error, (ushort)message.Length).Write(target[ChunkHeaderBytes..]);
        message.CopyTo(target[(ChunkHeaderBytes + ErrorPayload.SizeBytes)..]);
        return ChunkHeaderBytes + payloadBytes;
    }

    ConnectionException Violation(string what) =>
        new($"connection {connection.Id} from {connection.RemoteEndPoint}: not the NBD protocol: {what}");
}
