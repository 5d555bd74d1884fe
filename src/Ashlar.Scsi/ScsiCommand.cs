using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// One command on its way through a unit. Made once and used for many commands, one after another: the transport keeps a
/// pool of them. <see cref="ScsiNexus.Begin"/> fills it, then the transport brings the data and executes it.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A source without a timer and without a wait handle has nothing to dispose of.")]
public sealed class ScsiCommand
{
    /// <summary>Bytes of the longest command descriptor block that is understood.</summary>
    public const int MaxCdbBytes = 16;

    readonly byte[] cdb = new byte[MaxCdbBytes];
    ScsiNexus? port;
    UnitNexus? nexus;
    CommandDescription? description;
    volatile CancellationTokenSource aborting = new();

    /// <summary>Which way the data goes.</summary>
    public DataDirection Direction { get; private set; }

    /// <summary>Bytes that the command moves, as its descriptor block says; for <see cref="DataDirection.In"/> the most.</summary>
    public long DataBytes { get; internal set; }

    /// <summary>Whether the command was answered when it arrived, with <see cref="Refusal"/>; it must not be executed.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Why the command was refused.</summary>
    public ScsiResult Refusal { get; private set; }

    /// <summary>Whether blocks are read by <see cref="ReadAsync"/>, rather than an answer made by <see cref="ExecuteAsync"/>.</summary>
    public bool ReadsMedium => description is { ReadsMedium: true };

    /// <summary>Whether the command may wait for the medium: what was answered before it had better be sent first.</summary>
    public bool MayWait => description is { MayWait: true } || ForceUnitAccess;

    /// <summary>Whether more data than <see cref="DataBytes"/> is an error, rather than a surplus that nobody takes.</summary>
    public bool TakesExactData => description is { TakesExactData: true };

    /// <summary>Size of a block of the unit; pieces given to <see cref="ReadAsync"/> are made of whole blocks.</summary>
    public int BlockSizeBytes => Unit.BlockSizeBytes;

    /// <summary>Whether sense data goes out in descriptor format.</summary>
    public bool DescriptorSense => nexus is { Unit.Mode.DescriptorSense: true };

    /// <summary>
    /// Says that nobody wants the command any more, from any thread: it gives up what it waits for and may fail with
    /// <see cref="OperationCanceledException"/>. What it does is not called back: it is over when its task has ended.
    /// </summary>
    public void Abort() => aborting.Cancel();

    internal CancellationToken Aborted => aborting.Token;

    internal ReadOnlySpan<byte> Cdb => cdb;

    internal ScsiNexus Port => port!;

    /// <summary>Whether the address named a unit; false only for commands that are answered always.</summary>
    internal bool HasUnit => nexus is not null;

    internal UnitNexus Nexus => nexus!;

    internal LogicalUnit Unit => nexus!.Unit;

    internal ClientSession Session => nexus!.Session;

    internal long Lba { get; set; }

    internal long BlockCount { get; set; }

    internal bool ForceUnitAccess { get; set; }

    /// <summary>Reads a part of the blocks that the command asks for.</summary>
    /// <param name="offsetBytes">Where the part starts, counted from the command's first block; whole blocks.</param>
    /// <param name="destination">Filled completely when the result is good; whole blocks.</param>
    public ValueTask<ScsiResult> ReadAsync(long offsetBytes, Memory<byte> destination)
    {
        Invariant.Require(!IsRefused && ReadsMedium);
        Invariant.Require(offsetBytes >= 0 && destination.Length <= DataBytes - offsetBytes);
        // FUA (SBC-3, 5.9): what is newer in the cache is durable before it is given out.
        var pending = ForceUnitAccess && offsetBytes == 0
            ? FlushAndReadAsync(destination)
            : Session.ReadAsync((Lba << Unit.BlockShift) + offsetBytes, destination, Aborted);
        return pending.IsCompletedSuccessfully ? new(ScsiResult.Good) : FinishAsync(pending);
    }

    async ValueTask FlushAndReadAsync(Memory<byte> destination)
    {
        await Session.FlushAsync(Aborted);
        await Session.ReadAsync(Lba << Unit.BlockShift, destination, Aborted);
    }

    /// <summary>Does what the command asks for, except reading blocks.</summary>
    /// <param name="dataOut">
    /// The command's data. Shorter than <see cref="DataBytes"/> when the initiator has less: writes then write the whole
    /// blocks that are there. Kept until the task completes.
    /// </param>
    public ValueTask<ScsiResult> ExecuteAsync(ReadOnlyMemory<byte> dataOut)
    {
        Invariant.Require(!IsRefused && dataOut.Length <= DataBytes);
        return description!.Execute!(this, dataOut);
    }

    static async ValueTask<ScsiResult> FinishAsync(ValueTask reading)
    {
        try
        {
            await reading;
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: false);
        }
    }

    /// <summary>An answer, cut to what the initiator has room for.</summary>
    internal ValueTask<ScsiResult> Answer(ReadOnlyMemory<byte> answer) =>
        ScsiResult.AnswerAsync(answer.Length > DataBytes ? answer[..(int)DataBytes] : answer);

    internal void Begin(ScsiNexus newPort, UnitNexus? newNexus, CommandDescription? newDescription, ReadOnlySpan<byte> newCdb)
    {
        port = newPort;
        nexus = newNexus;
        description = newDescription;
        cdb.AsSpan().Clear();
        newCdb[..Math.Min(newCdb.Length, MaxCdbBytes)].CopyTo(cdb);
        Direction = newDescription?.Direction ?? DataDirection.None;
        DataBytes = 0;
        Lba = 0;
        BlockCount = 0;
        ForceUnitAccess = false;
        IsRefused = false;
        Refusal = default;
        if (aborting.IsCancellationRequested) aborting = new();
    }

    internal void Refuse(ScsiResult result)
    {
        IsRefused = true;
        Refusal = result;
        Direction = DataDirection.None;
        DataBytes = 0;
    }

    internal ushort UInt16(int offset) => BinaryPrimitives.ReadUInt16BigEndian(cdb.AsSpan(offset));

    internal uint UInt32(int offset) => BinaryPrimitives.ReadUInt32BigEndian(cdb.AsSpan(offset));

    internal ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64BigEndian(cdb.AsSpan(offset));
}
