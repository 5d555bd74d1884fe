using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Nvme;

// Commands of I/O queues.
sealed partial class QueuePair
{
    const uint DeallocateAttribute = 1 << 2;

    ClientSession Volume => controller!.Subsystem!.Session;

    /// <summary>Looks at all of a command before anything is done, or asked for, because of it.</summary>
    NvmeStatus CheckIo(in SubmissionEntry entry, out int hostBytes)
    {
        hostBytes = 0;
        var opcode = (NvmOpcode)entry.Opcode;
        var isFlush = opcode == NvmOpcode.Flush;
        if (entry.NamespaceId != Identification.NamespaceId && !(isFlush && entry.NamespaceId == SubmissionEntry.AllNamespaces))
            return NvmeStatus.InvalidNamespace | NvmeStatus.DoNotRetry;
        if (controller!.Path > PathState.NonOptimized) return NvmeStatus.AnaInaccessible;

        switch (opcode)
        {
            case NvmOpcode.Flush:
                return NvmeStatus.Success;
            case NvmOpcode.DatasetManagement:
                hostBytes = DatasetRanges.TransferBytes(entry);
                return NvmeStatus.Success;
            case NvmOpcode.ReservationRegister or NvmOpcode.ReservationAcquire:
                hostBytes = 2 * Reservations.KeyBytes;
                return NvmeStatus.Success;
            case NvmOpcode.ReservationRelease:
                hostBytes = Reservations.KeyBytes;
                return NvmeStatus.Success;
            case NvmOpcode.ReservationReport:
                return Reservations.CheckReport(entry);
            case NvmOpcode.WriteZeroes:
                return BlockRange.TryRead(entry, Volume.Geometry, out _);
            case NvmOpcode.Read or NvmOpcode.Write or NvmOpcode.Compare:
                var status = BlockRange.TryRead(entry, Volume.Geometry, out var range);
                if (status != NvmeStatus.Success) return status;
                if (range.LengthBytes > PduFrame.MaxHostDataBytes) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
                if (opcode != NvmOpcode.Read) hostBytes = (int)range.LengthBytes;
                else if (entry.Data.Kind != SglDescriptor.Transport) return NvmeStatus.SglDescriptorTypeInvalid | NvmeStatus.DoNotRetry;
                else if (entry.Data.LengthBytes != range.LengthBytes) return NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry;
                return NvmeStatus.Success;
            default:
                return NvmeStatus.InvalidOpcode | NvmeStatus.DoNotRetry;
        }
    }

    void RunIo(QueuedCommand command)
    {
        // The volume may have become another since the command came; then the volume refuses it.
        if ((NvmOpcode)command.Entry.Opcode == NvmOpcode.ReservationReport)
        {
            CompleteWithData(command, Reservations.Report(Volume, command.Entry), result: 0);
            return;
        }
        var isRead = (NvmOpcode)command.Entry.Opcode == NvmOpcode.Read;
        if (isRead && !BlockRange.IsDurable(command.Entry))
        {
            Read(command);
            return;
        }
        if ((NvmOpcode)command.Entry.Opcode != NvmOpcode.Write || IsDurable(command.Entry))
            batch.Send(); // The medium may take its time: earlier answers need not wait for it.
        try
        {
            var pending = Begin(command);
            if (pending.IsCompletedSuccessfully)
            {
                var status = pending.GetAwaiter().GetResult();
                if (isRead && status == NvmeStatus.Success) Read(command);
                else Complete(command, status);
            }
            else if (isRead)
            {
                Wait(pending);
                Read(command);
            }
            else
            {
                _ = FinishLaterAsync(pending, command);
            }
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            Complete(command, Explain(command.Entry, e));
        }
    }

    // A read that must come from the medium is rare, and waits here for what was written before.
    static void Wait(ValueTask<NvmeStatus> pending) => pending.AsTask().GetAwaiter().GetResult();

    bool IsDurable(in SubmissionEntry entry) => BlockRange.IsDurable(entry) || !controller!.HasWriteCache;

    ValueTask<NvmeStatus> Begin(QueuedCommand command)
    {
        var entry = command.Entry;
        switch ((NvmOpcode)entry.Opcode)
        {
            case NvmOpcode.Flush or NvmOpcode.Read:
                // Everything answered has completed on the device before this call, so the device's promise covers it, over whichever
                // queue it came.
                return Then(Volume.FlushAsync(givenUp));
            case NvmOpcode.Write:
                var (offset, _) = RangeOf(entry);
                var options = IsDurable(entry) ? WriteOptions.ForceUnitAccess : WriteOptions.None;
                return Then(Volume.WriteAsync(offset, command.Data, options, givenUp));
            case NvmOpcode.WriteZeroes:
                var zeroed = RangeOf(entry);
                // Without leave to deallocate the space of the blocks stays theirs, or a later write could fail for want of it.
                var zeroOptions = BlockRange.Deallocates(entry) ? ZeroOptions.None : ZeroOptions.KeepAllocated;
                if (IsDurable(entry)) zeroOptions |= ZeroOptions.ForceUnitAccess;
                return Then(Volume.WriteZeroesAsync(zeroed.OffsetBytes, zeroed.LengthBytes, zeroOptions, givenUp));
            case NvmOpcode.ReservationRegister:
                return new(Reservations.Register(Volume, entry, command.Data.Span));
            case NvmOpcode.ReservationAcquire:
                return Reservations.AcquireAsync(Volume, entry, command.Data.Span);
            case NvmOpcode.ReservationRelease:
                return new(Reservations.Release(Volume, entry, command.Data.Span));
            case NvmOpcode.Compare:
                return CompareAsync(RangeOf(entry), command.Data);
            default:
                var list = command.Data[..DatasetRanges.ListBytes(entry)];
                var status = DatasetRanges.Check(list.Span, Volume.Geometry);
                return status != NvmeStatus.Success || (entry.Dword11 & DeallocateAttribute) == 0
                    ? new(status) // Other attributes are hints, which change nothing here.
                    : DeallocateAsync(list, !controller!.HasWriteCache);
        }
    }

    BlockRange RangeOf(in SubmissionEntry entry)
    {
        var status = BlockRange.TryRead(entry, Volume.Geometry, out var range);
        Invariant.Require(status == NvmeStatus.Success); // It was looked at, and volumes never become smaller.
        return range;
    }

    static ValueTask<NvmeStatus> Then(ValueTask pending)
    {
        if (!pending.IsCompletedSuccessfully) return AwaitAsync(pending);
        pending.GetAwaiter().GetResult();
        return new(NvmeStatus.Success);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<NvmeStatus> AwaitAsync(ValueTask pending)
    {
        await pending;
        return NvmeStatus.Success;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<NvmeStatus> DeallocateAsync(ReadOnlyMemory<byte> list, bool isDurable)
    {
        for (var at = 0; at < list.Length; at += DatasetRanges.SizeBytes)
        {
            var status = DatasetRanges.Read(list.Span[at..], Volume.Geometry, out var range);
            Invariant.Require(status == NvmeStatus.Success);
            if (range.LengthBytes > 0) await Volume.TrimAsync(range.OffsetBytes, range.LengthBytes, givenUp);
        }
        if (isDurable) await Volume.FlushAsync(givenUp);
        return NvmeStatus.Success;
    }

    // Half the memory of a large compare would be its copy of the blocks: they are read piece by piece.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<NvmeStatus> CompareAsync(BlockRange range, ReadOnlyMemory<byte> expected)
    {
        const int pieceBytes = 64 << 10;
        var piece = System.Buffers.ArrayPool<byte>.Shared.Rent(pieceBytes);
        try
        {
            for (var at = 0; at < expected.Length; at += pieceBytes)
            {
                var length = Math.Min(pieceBytes, expected.Length - at);
                await Volume.ReadAsync(range.OffsetBytes + at, piece.AsMemory(0, length), givenUp);
                if (!piece.AsSpan(0, length).SequenceEqual(expected.Span.Slice(at, length)))
                    return NvmeStatus.CompareFailure | NvmeStatus.DoNotRetry;
            }
            return NvmeStatus.Success;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>Answers a command without data for the host when its device is done; gives back what it held.</summary>
    async Task FinishLaterAsync(ValueTask<NvmeStatus> pending, QueuedCommand command)
    {
        // Before the first wait: on the connection's thread.
        var owned = command.TakeBuffer();
        var heldBytes = owned?.Length ?? 0;
        inFlight.Enter(heldBytes);
        try
        {
            NvmeStatus status;
            try
            {
                status = await pending;
            }
            catch (Exception e)
            {
                status = Explain(command.Entry, e);
            }
            // The host may take the answer as leave to send the next, whose data need room.
            owned?.Dispose();
            owned = null;
            CompleteElsewhere(command, status);
        }
        finally
        {
            owned?.Dispose();
            inFlight.Leave(heldBytes);
        }
    }

    /// <summary>The status to answer. What the host cannot know is told to the operator, once for each connection.</summary>
    NvmeStatus Explain(in SubmissionEntry entry, Exception exception)
    {
        var isRead = queueId != 0 && (NvmOpcode)entry.Opcode is NvmOpcode.Read or NvmOpcode.Compare;
        var status = DeviceErrors.ToStatus(exception, writing: !isRead);
        if (DeviceErrors.IsToBeTold(status) && Interlocked.Increment(ref failures) == 1)
        {
            node.Report(
                $"nvme: connection {connection.Id} from {connection.RemoteEndPoint}: command {entry.Opcode:X2}h failed, further failures "
                + $"of this connection are not reported: {exception.GetType().Name}: {exception.Message}");
        }
        return status;
    }
}
