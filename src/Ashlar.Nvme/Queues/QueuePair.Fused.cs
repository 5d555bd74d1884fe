using Ashlar.Storage;

namespace Ashlar.Nvme;

// Fused Compare and Write (NVM Express Base 2.0, 3.4.2, and NVM Command Set 1.0, 2.1.4): two commands that follow one another, and are
// carried out as one. The blocks are the pair's alone meanwhile, by the volume's own exclusion, which all protocols share.
sealed partial class QueuePair
{
    QueuedCommand? awaitsSecond; // The first of a pair, whose second must be the next command.
    bool firstHasFailed;

    /// <summary>Sees what a command is in a fused operation.</summary>
    /// <param name="command">One that has just come.</param>
    /// <param name="status">What is wrong with it by itself.</param>
    NvmeStatus Fuse(QueuedCommand command, NvmeStatus status)
    {
        var part = command.Entry.Fused;
        var first = awaitsSecond;
        var firstFailed = firstHasFailed;
        awaitsSecond = null;
        firstHasFailed = false;
        if (part != FusedPart.Second && first is not null) GiveUpFirst(first, NvmeStatus.MissingFused);
        switch (part)
        {
            case FusedPart.None:
                return status;
            case FusedPart.First:
                if (status == NvmeStatus.Success) status = CheckFirst(command.Entry);
                if (status == NvmeStatus.Success) awaitsSecond = command;
                else firstHasFailed = true;
                return status;
            case FusedPart.Second when firstFailed:
                return NvmeStatus.FailedFused;
            case FusedPart.Second when first is null:
                return NvmeStatus.MissingFused;
            case FusedPart.Second:
                if (status == NvmeStatus.Success) status = CheckSecond(first!.Entry, command.Entry);
                if (status == NvmeStatus.Success)
                {
                    first!.Partner = command;
                    command.Partner = first;
                }
                else
                {
                    GiveUpFirst(first!, NvmeStatus.FailedFused);
                }
                return status;
            default:
                return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        }
    }

    NvmeStatus CheckFirst(in SubmissionEntry entry)
    {
        if (queueId == 0 || entry.IsFabrics || (NvmOpcode)entry.Opcode != NvmOpcode.Compare)
            return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        return (entry.Dword12 & 0xFFFF) < ControllerIdentity.MaxCompareAndWriteBlocks
            ? NvmeStatus.Success
            : NvmeStatus.AtomicWriteUnitExceeded | NvmeStatus.DoNotRetry;
    }

    static NvmeStatus CheckSecond(in SubmissionEntry first, in SubmissionEntry second) =>
        !second.IsFabrics
        && (NvmOpcode)second.Opcode == NvmOpcode.Write
        && second.NamespaceId == first.NamespaceId
        && second.Quad10 == first.Quad10
        && (ushort)second.Dword12 == (ushort)first.Dword12
            ? NvmeStatus.Success
            : NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;

    // Its data may still be on their way: then it is answered when they are here.
    void GiveUpFirst(QueuedCommand first, NvmeStatus status)
    {
        if (first.IsComplete) Complete(first, status);
        else first.Refusal = status;
    }

    void CarryOutFused(QueuedCommand command)
    {
        command.IsComplete = true;
        if (command.Refusal != NvmeStatus.Success)
        {
            Complete(command, command.Refusal);
            return;
        }
        if (command.Partner is not { IsComplete: true } partner) return;

        var (compare, write) = command.Entry.Fused == FusedPart.First ? (command, partner) : (partner, command);
        compare.Partner = write.Partner = null;
        // One that was aborted, or damaged on its way, takes the other with it.
        var compares = compare.TryRun();
        var writes = write.TryRun();
        if (!compares || !writes)
        {
            Complete(compare, compares ? NvmeStatus.FailedFused : NvmeStatus.AbortRequested);
            Complete(write, writes ? NvmeStatus.FailedFused : NvmeStatus.AbortRequested);
            return;
        }
        if (compare.IsDamaged || write.IsDamaged)
        {
            Complete(compare, compare.IsDamaged ? NvmeStatus.TransientTransportError : NvmeStatus.FailedFused);
            Complete(write, write.IsDamaged ? NvmeStatus.TransientTransportError : NvmeStatus.FailedFused);
            return;
        }
        batch.Send();
        _ = CompareAndWriteAsync(compare, write);
    }

    async Task CompareAndWriteAsync(QueuedCommand compare, QueuedCommand write)
    {
        var expected = compare.Data;
        var data = write.Data;
        // Before the first wait: on the connection's thread.
        var (expectedOwner, dataOwner) = (compare.TakeBuffer()!, write.TakeBuffer()!);
        var heldBytes = expectedOwner.Length + dataOwner.Length;
        inFlight.Enter(heldBytes);
        try
        {
            // Given back before it counts as ended: then the memory of the connection is closed.
            using var expectedBuffer = expectedOwner;
            using var dataBuffer = dataOwner;
            var first = NvmeStatus.Success;
            var second = NvmeStatus.Success;
            var writing = false;
            try
            {
                var (offset, length) = RangeOf(compare.Entry);
                using var held = await Volume.HoldAsync(offset, length, givenUp);
                if (await held.FindDifferenceAsync(offset, expected, givenUp) is not null)
                {
                    first = NvmeStatus.CompareFailure | NvmeStatus.DoNotRetry;
                    second = NvmeStatus.FailedFused;
                }
                else
                {
                    writing = true;
                    var options = IsDurable(write.Entry) ? Blocks.WriteOptions.ForceUnitAccess : Blocks.WriteOptions.None;
                    await held.WriteAsync(offset, data, options, givenUp);
                }
            }
            catch (Exception e)
            {
                var status = Explain((writing ? write : compare).Entry, e);
                first = writing ? NvmeStatus.FailedFused : status;
                second = writing ? status : NvmeStatus.FailedFused;
            }
            CompleteElsewhere(compare, first);
            CompleteElsewhere(write, second);
        }
        finally
        {
            inFlight.Leave(heldBytes);
        }
    }
}
