using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

sealed partial class Transmission
{
    // A structured reply is cut into chunks of this size: they pass through a buffer that stays in the processor's cache,
    // and no read needs more memory than this.
    const int PieceBytes = ReplyBatch.CapacityBytes;

    // Reads from this size on are looked through for holes; for smaller ones the look costs more than the bytes.
    const int HoleBytes = 64 << 10;

    const int DataChunkHeaderBytes = ChunkHeader.SizeBytes + sizeof(ulong);

    void Read(in RequestHeader request)
    {
        if (request.LengthBytes == 0)
        {
            AddEmptyRead(request);
        }
        else if (session.StructuredReplies && request.LengthBytes >= HoleBytes && !request.Flags.Has(CommandFlags.DontFragment))
        {
            ReadInChunks(request);
        }
        else
        {
            ReadPiece(request, (long)request.OffsetBytes, (int)request.LengthBytes);
        }
    }

    void AddEmptyRead(in RequestHeader request)
    {
        if (!session.StructuredReplies)
        {
            AddSuccess(request);
            return;
        }
        new ChunkHeader(ChunkFlags.Done, ChunkCode.None, request.Cookie, 0).Write(batch.Reserve(ChunkHeader.SizeBytes).Span);
        batch.Commit(ChunkHeader.SizeBytes);
    }

    // Holes travel as 32 bytes. Each data chunk is read before its header is composed, so an error can always follow the
    // chunks before it, and the last chunk may say that it is the last.
    void ReadInChunks(in RequestHeader request)
    {
        var position = (long)request.OffsetBytes;
        var end = position + request.LengthBytes;
        while (position < end)
        {
            int length;
            try
            {
                var isHole = FindRun(position, (int)Math.Min(PieceBytes, end - position), out length);
                if (isHole)
                {
                    AddHole(request, position, length, isLast: position + length == end);
                    position += length;
                    continue;
                }
            }
            catch (Exception e) when (e is not ConnectionException)
            {
                AddFailure(request, e);
                return;
            }
            if (!ReadPiece(request, position, length)) return;
            position += length;
        }
    }

    /// <summary>Reads one piece into the batch.</summary>
    /// <returns>False when the rest of the request is not ours any more: it failed, or is finished elsewhere.</returns>
    bool ReadPiece(in RequestHeader request, long position, int length)
    {
        var headerBytes = session.StructuredReplies ? DataChunkHeaderBytes : SimpleReplyHeader.SizeBytes;
        try
        {
            var room = batch.Reserve(headerBytes + length);
            var pending = driver.ReadAsync(position, room[headerBytes..], connection.Closed);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                WriteDataHeader(room.Span, request, position, length);
                batch.Commit(headerBytes + length);
                return true;
            }
            var buffer = batch.Detach(out var reservedAt);
            _ = FinishReadLaterAsync(pending.AsTask(), request, position, length, buffer, reservedAt);
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            AddFailure(request, e);
        }
        return false;
    }

    /// <summary>Answers a read from where its device made it wait, chunk by chunk to its end.</summary>
    async Task FinishReadLaterAsync(
        Task pending, RequestHeader request, long position, int length, PooledBuffer buffer, int reservedAt)
    {
        var heldBytes = buffer.Length;
        inFlight.Enter(heldBytes);
        try
        {
            var headerBytes = session.StructuredReplies ? DataChunkHeaderBytes : SimpleReplyHeader.SizeBytes;
            var end = (long)request.OffsetBytes + request.LengthBytes;
            while (true)
            {
                try
                {
                    await pending.ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    await LeaveDeviceThread();
                    SendStatus(request.Cookie, Explain(request, e));
                    return;
                }
                await LeaveDeviceThread();
                var reply = buffer.Memory.Slice(reservedAt, headerBytes + length);
                WriteDataHeader(reply.Span, request, position, length);
                connection.Send(reply.Span);

                position += length;
                if (position == end) return;
                reservedAt = 0;
                length = (int)Math.Min(PieceBytes, end - position);
                pending = driver.ReadAsync(position, buffer.Memory.Slice(headerBytes, length), connection.Closed).AsTask();
            }
        }
        catch (ConnectionException)
        {
            // The connection is cut; its own thread reports it.
        }
        finally
        {
            buffer.Dispose();
            inFlight.Leave(heldBytes);
        }
    }

    void WriteDataHeader(Span<byte> target, in RequestHeader request, long position, int length)
    {
        if (!session.StructuredReplies)
        {
            new SimpleReplyHeader(NbdError.None, request.Cookie).Write(target);
            return;
        }
        var isLast = (ulong)position + (ulong)length == request.OffsetBytes + request.LengthBytes;
        new ChunkHeader(isLast ? ChunkFlags.Done : ChunkFlags.None, ChunkCode.OffsetData, request.Cookie, (uint)(sizeof(ulong) + length)).Write(target);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(target[ChunkHeader.SizeBytes..], (ulong)position);
    }

    void AddHole(in RequestHeader request, long position, int length, bool isLast)
    {
        const int ReplyBytes = ChunkHeader.SizeBytes + OffsetHole.SizeBytes;
        var target = batch.Reserve(ReplyBytes).Span;
        new ChunkHeader(isLast ? ChunkFlags.Done : ChunkFlags.None, ChunkCode.OffsetHole, request.Cookie, OffsetHole.SizeBytes).Write(target);
        new OffsetHole((ulong)position, (uint)length).Write(target[ChunkHeader.SizeBytes..]);
        batch.Commit(ReplyBytes);
    }
}
