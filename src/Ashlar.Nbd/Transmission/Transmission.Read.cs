using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

sealed partial class Transmission
{
    // A structured reply is cut into chunks of this size: they pass through a buffer that stays in the processor's cache,
    // and no read needs more memory than this.
    const int PieceBytes = 256 << 10;

    // Reads from this size on are looked through for holes; for smaller ones the look costs more than the bytes.
    const int HoleBytes = 64 << 10;

    const int MaxDataHeaderBytes = ExtendedChunkHeader.SizeBytes + sizeof(ulong);

    void Read(in RequestHeader request)
    {
        if (request.LengthBytes == 0)
        {
            AddEmptyRead(request);
        }
        else if (session.HasChunks && request.LengthBytes >= HoleBytes && !request.Flags.Has(CommandFlags.DontFragment))
        {
            ReadInChunks(request);
        }
        else
        {
            ReadWhole(request);
        }
    }

    void AddEmptyRead(in RequestHeader request)
    {
        if (!session.HasChunks)
        {
            AddSuccess(request);
            return;
        }
        WriteChunkHeader(batch.Reserve(ChunkHeaderBytes).Span, request, ChunkFlags.Done, ChunkCode.None, 0);
        batch.Commit(ChunkHeaderBytes);
    }

    // Holes travel as 32 bytes. Each data chunk is read before its header is composed, so an error can always follow the
    // chunks before it, and the last chunk may say that it is the last.
    void ReadInChunks(in RequestHeader request)
    {
        var position = (long)request.OffsetBytes;
        var end = position + (long)request.LengthBytes;
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
            var headerBytes = DataHeaderBytes;
            if (batch.TryReserve(headerBytes + length) is not { } room)
            {
                length = Math.Min(length, SmallPieceBytes);
                room = batch.Reserve(headerBytes + length);
            }
            if (!ReadPiece(request, position, length, room)) return;
            position += length;
        }
    }

    void ReadWhole(in RequestHeader request)
    {
        var length = (int)request.LengthBytes;
        if (batch.TryReserve(DataHeaderBytes + length) is { } room) ReadPiece(request, (long)request.OffsetBytes, length, room);
        else ReadTwice(request);
    }

    /// <summary>
    /// Answers in one piece, in less memory than that takes. The header says whether all of the data could be read, so all is
    /// read once to see, and once more to send.
    /// </summary>
    void ReadTwice(in RequestHeader request)
    {
        batch.Send();
        var start = (long)request.OffsetBytes;
        var end = start + (long)request.LengthBytes;
        var room = batch.Reserve(SmallPieceBytes);
        for (var position = start; position < end; position += room.Length)
        {
            var piece = room[..(int)Math.Min(room.Length, end - position)];
            if (Wait(() => volume.ReadAsync(position, piece, givenUp)) is not { } failure) continue;
            AddFailure(request, failure);
            return;
        }
        Span<byte> header = stackalloc byte[MaxDataHeaderBytes];
        WriteDataHeader(header, request, start, (int)request.LengthBytes);
        connection.Send(header[..DataHeaderBytes]);
        for (var position = start; position < end; position += room.Length)
        {
            var piece = room[..(int)Math.Min(room.Length, end - position)];
            if (Wait(() => volume.ReadAsync(position, piece, givenUp)) is { } failure)
            {
                // The header has left, and promised data: doc/proto.md leaves nothing but to hang up.
                Explain(request, failure);
                throw new ConnectionException(
                    $"connection {connection.Id} from {connection.RemoteEndPoint}: cannot go on: {failure.Message}");
            }
            connection.Send(piece.Span);
        }
    }

    int DataHeaderBytes => session.HasChunks ? ChunkHeaderBytes + sizeof(ulong) : SimpleReplyHeader.SizeBytes;

    /// <summary>Reads one piece into the batch, where room for it and its header is reserved.</summary>
    /// <returns>False when the rest of the request is not ours any more: it failed, or is finished elsewhere.</returns>
    bool ReadPiece(in RequestHeader request, long position, int length, Memory<byte> room)
    {
        var headerBytes = DataHeaderBytes;
        try
        {
            var pending = volume.ReadAsync(position, room[headerBytes..], givenUp);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                WriteDataHeader(room.Span, request, position, length);
                batch.Commit(headerBytes + length);
                return true;
            }
            var buffer = batch.Detach(out var reservedAt);
            _ = FinishReadLaterAsync(pending, request, position, length, buffer, reservedAt);
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            AddFailure(request, e);
        }
        return false;
    }

    /// <summary>Answers a read from where its device made it wait, chunk by chunk to its end.</summary>
    /// <remarks>It holds its buffer, and counts as in flight, until the client has taken the last of it.</remarks>
    async Task FinishReadLaterAsync(
        ValueTask pending, RequestHeader request, long position, int length, PooledBuffer buffer, int reservedAt)
    {
        var heldBytes = buffer.Length;
        inFlight.Enter(heldBytes);
        try
        {
            var headerBytes = DataHeaderBytes;
            var end = (long)(request.OffsetBytes + request.LengthBytes);
            var pieceBytes = Math.Min(PieceBytes, (buffer.Length - headerBytes) & ~(NbdProtocol.PreferredBlockBytes - 1));
            while (true)
            {
                try
                {
                    await pending;
                }
                catch (Exception e)
                {
                    PostStatus(request, Explain(request, e));
                    return;
                }
                var reply = buffer.Memory.Slice(reservedAt, headerBytes + length);
                WriteDataHeader(reply.Span, request, position, length);
                await connection.SendAsync(reply);

                position += length;
                if (position == end) return;
                reservedAt = 0;
                length = (int)Math.Min(pieceBytes, end - position);
                pending = volume.ReadAsync(position, buffer.Memory.Slice(headerBytes, length), givenUp);
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
        if (!session.HasChunks)
        {
            new SimpleReplyHeader(NbdError.None, request.Cookie).Write(target);
            return;
        }
        RequireWithin(request, position, length);
        var isLast = (ulong)position + (ulong)length == request.OffsetBytes + request.LengthBytes;
        var flags = isLast ? ChunkFlags.Done : ChunkFlags.None;
        WriteChunkHeader(target, request, flags, ChunkCode.OffsetData, sizeof(ulong) + length);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(target[ChunkHeaderBytes..], (ulong)position);
    }

    // A chunk beside the request would be taken for data that the client has asked for.
    static void RequireWithin(in RequestHeader request, long position, int length)
    {
        var start = (long)request.OffsetBytes;
        Invariant.Require(length > 0 && position >= start && position + length <= start + (long)request.LengthBytes);
    }

    void AddHole(in RequestHeader request, long position, int length, bool isLast)
    {
        var replyBytes = ChunkHeaderBytes + OffsetHole.SizeBytes;
        RequireWithin(request, position, length);
        var target = batch.Reserve(replyBytes).Span;
        var flags = isLast ? ChunkFlags.Done : ChunkFlags.None;
        WriteChunkHeader(target, request, flags, ChunkCode.OffsetHole, OffsetHole.SizeBytes);
        new OffsetHole((ulong)position, (uint)length).Write(target[ChunkHeaderBytes..]);
        batch.Commit(replyBytes);
    }
}
