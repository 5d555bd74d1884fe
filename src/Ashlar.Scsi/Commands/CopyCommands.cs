using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>EXTENDED COPY(LID1) and RECEIVE COPY RESULTS (SPC-4, 6.4, 6.21, 6.22 and 6.24): blocks are copied without passing the
/// initiator.</summary>
static class CopyCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        new("EXTENDED COPY(LID1)",
            [0x83, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], DecodeCopy, CopyAsync)
        { ServiceAction = 0x00, Direction = DataDirection.Out, MayWait = true, TakesExactData = true, CountsAs = MediumAccess.Write },
        Receive("RECEIVE COPY STATUS(LID1)", 0x00, listMask: 0xFF, ReceiveStatus),
        Receive("RECEIVE COPY OPERATING PARAMETERS", 0x03, listMask: 0x00, ReceiveOperatingParameters),
        Receive("RECEIVE COPY FAILURE DETAILS(LID1)", 0x04, listMask: 0xFF, ReceiveFailureDetails),
    ];

    static CommandDescription Receive(string name, byte serviceAction, byte listMask, CommandHandler execute) => new(
        name,
        [0x84, serviceAction, listMask, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
        DecodeReceive,
        execute)
    { ServiceAction = serviceAction, Direction = DataDirection.In };

    static Sense? DecodeCopy(ScsiCommand command)
    {
        if (command.UInt32(10) > CopyLimits.HeaderBytes + CopyLimits.MaxDescriptorBytes) return Sense.ParameterListLengthError;
        command.DataBytes = command.UInt32(10);
        return null;
    }

    static Sense? DecodeReceive(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(10);
        return null;
    }

    static async ValueTask<ScsiResult> CopyAsync(ScsiCommand command, ReadOnlyMemory<byte> list)
    {
        if (command.DataBytes == 0) return ScsiResult.Good;
        if (list.Length < command.DataBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        if (CopyList.Check(list.Span) is { } wrong) return ScsiResult.Check(wrong);
        var identifier = CopyList.IdentifierOf(list.Span);
        CopyCount[] counts = [command.Port.RunningCopies, command.Unit.Copies, command.Unit.CopiesOfNode];
        if (!CopyCount.TryEnter(counts)) return new(ScsiStatus.Busy);
        try
        {
            if (identifier is not { } number) return (await RunAsync(command, list, identifier: null)).Result;
            if (!command.Port.Copies.TryBegin(number))
                return ScsiResult.Check(new(SenseKey.IllegalRequest, AdditionalSense.OperationInProgress));
            var isEnded = false;
            try
            {
                var (result, segments, bytes) = await RunAsync(command, list, number);
                command.Port.Copies.End(number, segments, bytes, result);
                isEnded = true;
                return result;
            }
            finally
            {
                if (!isEnded) command.Port.Copies.Forget(number);
            }
        }
        finally
        {
            CopyCount.Leave(counts);
        }
    }

    static async ValueTask<(ScsiResult Result, int Segments, long Bytes)> RunAsync(
        ScsiCommand command, ReadOnlyMemory<byte> list, byte? identifier)
    {
        var segments = new List<CopySegment>(CopyLimits.MaxSegments);
        if (CopyList.Resolve(list.Span, command.Port, command.Nexus, segments) is { } impossible)
            return (ScsiResult.Check(impossible), 0, 0);
        using var time = new CancellationTokenSource(CopyLimits.MaxTime, WorkerClock.For(command.Unit.Volume.TimeProvider));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(command.Aborted, time.Token);
        var copier = new SegmentCopier(command.Session, ending.Token);
        var done = 0;
        try
        {
            foreach (var segment in segments)
            {
                await copier.CopyAsync(segment);
                done++;
                if (identifier is { } number) command.Port.Copies.Progress(number, done, copier.CopiedBytes);
            }

            return (ScsiResult.Good, done, copier.CopiedBytes);
        }
        catch (OperationCanceledException)
            when (time.IsCancellationRequested && !command.Aborted.IsCancellationRequested && !command.Session.IsLeaving)
        {
            return (ScsiResult.Check(Sense.CopyAborted(AdditionalSense.CommandTimeoutDuringProcessing, done)), done, copier.CopiedBytes);
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return (copier.CopiedBytes == 0 && Refusal(e) is { } refusal
                ? refusal
                : ScsiResult.Check(Sense.CopyAborted(AdditionalSense.ThirdPartyDeviceFailure, done)), done, copier.CopiedBytes);
        }
    }

    // What the initiator would be told if it copied itself: who may not, and that there is no space. Not what is wrong with a block, for it
    // would look for that in the unit that it has asked.
    static ScsiResult? Refusal(Exception e)
    {
        var result = DeviceErrors.ToResult(e, writing: true);
        return result.Status == ScsiStatus.ReservationConflict || result.Sense.Key == SenseKey.DataProtect ? result : null;
    }

    static ValueTask<ScsiResult> ReceiveStatus(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        command.Port.Copies.DescribeStatus(command.Cdb[2]) is { } status
            ? command.Answer(status)
            : ScsiResult.CheckAsync(Sense.InvalidFieldInCdb(2));

    static ValueTask<ScsiResult> ReceiveOperatingParameters(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        command.Answer(CopyDescription.OperatingParameters());

    static ValueTask<ScsiResult> ReceiveFailureDetails(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        command.Answer(command.Port.Copies.DescribeFailure(command.Cdb[2]));
}
