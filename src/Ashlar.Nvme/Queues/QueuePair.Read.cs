using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

// Reads: the device reads straight into what is sent, in pieces that stay in the processor's cache.
sealed partial class QueuePair
{
    const int PieceBytes = 256 << 10;

    // What a host moves at a time that has no more memory.
    const int SmallPieceBytes = BufferShare.AlwaysGrantedBytes / 2;

    int AroundDataBytes => dataAt + DigestOfDataBytes + ResponseCapsule.MaxBytes;

    void Read(QueuedCommand command)
    {
        var (offset, length) = RangeOf(command.Entry);
        long done = 0;
        while (done < length)
        {
            var piece = (int)Math.Min(PieceBytes, length - done);
            if (batch.TryReserve(AroundDataBytes + piece) is not { } room)
            {
                piece = Math.Min(piece, SmallPieceBytes);
                room = batch.Reserve(AroundDataBytes + piece);
            }
            if (!ReadPiece(command, offset, length, done, room[..(AroundDataBytes + piece)], piece)) return;
            done += piece;
        }
    }

    /// <summary>Reads one piece into the batch, where room for it and all around it is reserved.</summary>
    /// <returns>False when the rest of the command is not ours any more: it failed, or is finished elsewhere.</returns>
    bool ReadPiece(QueuedCommand command, long offset, long length, long done, Memory<byte> room, int pieceBytes)
    {
        try
        {
            var pending = Volume.ReadAsync(offset + done, room.Slice(dataAt, pieceBytes), givenUp);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                var isLast = done + pieceBytes == length;
                using (batch.Gate.EnterScope()) batch.Commit(WriteData(room.Span, command, (int)done, pieceBytes, isLast));
                return true;
            }
            var buffer = batch.Detach(out var reservedAt);
            _ = FinishReadLaterAsync(pending, command, offset, length, done, buffer, reservedAt, pieceBytes);
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            Complete(command, Explain(command.Entry, e)); // The pieces that have left are of no use to the host then.
        }
        return false;
    }

    /// <summary>Answers a read from where its device made it wait, piece by piece to its end.</summary>
    /// <remarks>It holds its buffer, and counts as in flight, until the host has taken the last of it.</remarks>
    async Task FinishReadLaterAsync(
        ValueTask pending, QueuedCommand command, long offset, long length, long done, PooledBuffer buffer, int reservedAt, int pieceBytes)
    {
        var heldBytes = buffer.Length;
        inFlight.Enter(heldBytes);
        try
        {
            while (true)
            {
                try
                {
                    await pending;
                }
                catch (Exception e)
                {
                    CompleteElsewhere(command, Explain(command.Entry, e));
                    return;
                }
                var isLast = done + pieceBytes == length;
                await SendElsewhereAsync(command, buffer.Memory[reservedAt..], (int)done, pieceBytes, isLast);
                if (isLast) return;

                done += pieceBytes;
                reservedAt = 0;
                pieceBytes = (int)Math.Min(Math.Min(PieceBytes, buffer.Length - AroundDataBytes) & ~4095, length - done);
                Invariant.Require(pieceBytes > 0);
                pending = Volume.ReadAsync(offset + done, buffer.Memory.Slice(dataAt, pieceBytes), givenUp);
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

    ValueTask SendElsewhereAsync(QueuedCommand command, Memory<byte> room, int done, int pieceBytes, bool isLast)
    {
        ValueTask sending;
        using (batch.Gate.EnterScope())
        {
            var length = WriteData(room.Span, command, done, pieceBytes, isLast);
            batch.Queue();
            sending = connection.EnqueueAsync(room[..length]);
        }
        connection.SendQueued();
        return sending;
    }
}
