using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

sealed partial class Transmission
{
    // A write up to this size is one call on the device and may complete later. Longer ones are taken off the wire and
    // written piece by piece, so that no client makes the server hold 32 MiB by announcing them.
    const int WritePieceBytes = 1 << 20;

    // What a client moves at a time that has no more memory: its replies are not taken off, or all clients together hold what
    // they may.
    const int SmallPieceBytes = BufferShare.AlwaysGrantedBytes;

    void Write(in RequestHeader request)
    {
        if (request.LengthBytes > WritePieceBytes || !TryRentPayload((int)request.LengthBytes))
        {
            WriteInPieces(request);
            return;
        }
        var length = (int)request.LengthBytes;
        var source = ReceivePayload(length);
        if (length == 0)
        {
            AddSuccess(request);
            return;
        }
        var options = WriteOptions.None;
        if (request.Flags.Has(CommandFlags.ForceUnitAccess))
        {
            batch.Send(); // The medium may take its time: earlier replies need not wait for it.
            options = WriteOptions.ForceUnitAccess;
        }
        try
        {
            var pending = volume.WriteAsync((long)request.OffsetBytes, source, options, givenUp);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                AddSuccess(request);
            }
            else
            {
                var owned = payload;
                payload = null;
                _ = FinishLaterAsync(pending, request, owned);
            }
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            AddFailure(request, e);
        }
    }

    // One FUA write of many pieces becomes plain writes and a flush at the end, which covers them all.
    void WriteInPieces(in RequestHeader request)
    {
        Exception? failure = null;
        if (!TryRentPayload(WritePieceBytes) && !TryRentPayload(SmallPieceBytes)) RentSmallPayload();
        var offset = (long)request.OffsetBytes;
        var end = offset + (long)request.LengthBytes;
        while (offset < end)
        {
            var source = ReceivePayload((int)Math.Min(Math.Min(WritePieceBytes, payload!.Length), end - offset));
            failure ??= Wait(() => volume.WriteAsync(offset, source, WriteOptions.None, givenUp));
            offset += source.Length;
        }
        if (failure is null && request.Flags.Has(CommandFlags.ForceUnitAccess))
            failure = Wait(() => volume.FlushAsync(givenUp));
        if (failure is null) AddSuccess(request);
        else AddFailure(request, failure);
    }

    static Exception? Wait(Func<ValueTask> call)
    {
        try
        {
            call().AsTask().GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>Sees to a buffer for a payload, if the client's share of memory reaches for it.</summary>
    bool TryRentPayload(int length)
    {
        if (payload is not null && payload.Length >= length) return true;
        payload?.Dispose();
        payload = buffers.TryRent(length);
        return payload is not null;
    }

    // What this client has running is all there is to wait for: nobody waits for another's memory.
    void RentSmallPayload()
    {
        batch.Send();
        inFlight.WaitForAll();
        payload = buffers.TryRent(SmallPieceBytes) ?? buffers.RentAlways(SmallPieceBytes);
    }

    Memory<byte> ReceivePayload(int length)
    {
        if (connection.BufferedBytes < length) batch.Send();
        var target = payload!.Memory[..length];
        connection.Receive(target.Span);
        return target;
    }
}
