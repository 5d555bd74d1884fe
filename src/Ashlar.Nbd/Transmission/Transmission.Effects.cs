using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Storage;

namespace Ashlar.Nbd.Transmission;

// Commands without data in either direction. Their length may exceed every payload limit, and nothing is allocated by it.
sealed partial class Transmission
{
    void TakeEffect(in RequestHeader request)
    {
        batch.Send(); // The medium may take its time: earlier replies need not wait for it.
        try
        {
            var pending = BeginEffect(request);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                AddSuccess(request);
            }
            else
            {
                _ = FinishLaterAsync(pending, request, owned: null);
            }
        }
        catch (Exception e) when (e is not Transport.ConnectionException)
        {
            AddFailure(request, e);
        }
    }

    ValueTask BeginEffect(in RequestHeader request)
    {
        var offset = (long)request.OffsetBytes;
        var length = (long)request.LengthBytes;
        var isDurable = request.Flags.Has(CommandFlags.ForceUnitAccess);
        return request.Command switch
        {
            // Everything replied to has completed on the device before this call, so the device's promise covers it,
            // over whichever connection it came.
            CommandCode.Flush => volume.FlushAsync(givenUp),
            CommandCode.Cache => WarmUp(offset, length),
            _ when length == 0 => ValueTask.CompletedTask,
            CommandCode.Trim => isDurable ? TrimDurablyAsync(offset, length) : volume.TrimAsync(offset, length, givenUp),
            _ => volume.WriteZeroesAsync(offset, length, ZeroOptionsOf(request.Flags), givenUp),
        };
    }

    static ZeroOptions ZeroOptionsOf(CommandFlags flags)
    {
        var options = ZeroOptions.None;
        if (flags.Has(CommandFlags.ForceUnitAccess)) options |= ZeroOptions.ForceUnitAccess;
        if (flags.Has(CommandFlags.NoHole)) options |= ZeroOptions.KeepAllocated;
        if (flags.Has(CommandFlags.FastZero)) options |= ZeroOptions.FastOnly;
        return options;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask TrimDurablyAsync(long offset, long length)
    {
        await volume.TrimAsync(offset, length, givenUp);
        await volume.FlushAsync(givenUp);
    }

    // A hint to read ahead: reading through the device warms every cache beneath. Bounded, and without a promise.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WarmUp(long offset, long length)
    {
        using var scratch = buffers.TryRent((int)Math.Min(length, PieceBytes));
        if (scratch is null) return;
        var end = offset + Math.Min(length, NbdProtocol.MaximumPayloadBytes);
        while (offset < end)
        {
            var part = scratch.Memory[..(int)Math.Min(PieceBytes, end - offset)];
            await volume.ReadAsync(offset, part, givenUp);
            offset += part.Length;
        }
    }
}
