using Ashlar.Scsi;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>A SCSI command of a session, from its PDU to its status. Used for many commands, one after another.</summary>
sealed class IscsiTask
{
    PooledBuffer? data;

    public ScsiCommand Command { get; } = new();

    public uint InitiatorTaskTag { get; private set; }

    /// <summary>The LUN field as it came, for R2Ts.</summary>
    public ulong Lun { get; private set; }

    public LogicalUnit? Unit { get; private set; }

    /// <summary>Bytes that the initiator expects to move (EDTL); 0 where it expects none in either direction.</summary>
    public uint ExpectedBytes { get; private set; }

    /// <summary>Bytes that the initiator has room for.</summary>
    public uint RoomBytes { get; private set; }

    /// <summary>Whether the command counts in the window: immediate ones do not.</summary>
    public bool IsCounted { get; private set; }

    public bool IsOrdered { get; private set; }

    /// <summary>Bytes of data to bring: what the command wants, as far as the initiator has it.</summary>
    public int WantedBytes { get; private set; }

    /// <summary>Bytes that came, counted from the first; there are no gaps.</summary>
    public int ReceivedBytes { get; private set; }

    /// <summary>Bytes that may come without being asked for; data comes up to here before the first R2T.</summary>
    public int UnsolicitedLimit { get; set; }

    /// <summary>Whether unsolicited Data-Out PDUs still come.</summary>
    public bool ExpectsUnsolicited { get; set; }

    /// <summary>Where the next R2T starts.</summary>
    public int SolicitedBytes { get; set; }

    /// <summary>R2Ts sent; the next R2TSN.</summary>
    public uint R2TCount { get; set; }

    /// <summary>R2Ts answered; bursts come in the order of their R2Ts (DataSequenceInOrder).</summary>
    public uint BurstsDone { get; set; }

    /// <summary>Where the burst that is due ends.</summary>
    public int BurstEnd { get; set; }

    /// <summary>Target transfer tag of the first R2T; the others follow.</summary>
    public uint FirstTransferTag { get; set; }

    /// <summary>DataSN of the next Data-Out of the burst.</summary>
    public uint NextDataSN { get; set; }

    public ReadOnlyMemory<byte> Data => data is null ? default : data.Memory[..Math.Min(ReceivedBytes, WantedBytes)];

    /// <summary>
    /// When data that was asked for, or announced, must have come, by <see cref="Connection.NowMilliseconds"/>; 0 while none is due.
    /// </summary>
    public long DataDueAt { get; set; }

    /// <summary>Whether there is room for the data.</summary>
    public bool HasBuffer => data is not null;

    /// <summary>Bytes of buffers held.</summary>
    public int BufferBytes => data?.Length ?? 0;

    /// <summary>Aborts of the command, which wait until it has come to its end if it runs. Under the task set's lock.</summary>
    public List<TaskAbort> Aborts { get; } = [];

    public bool IsAborted => Aborts.Count > 0;

    public bool Runs { get; set; }

    public void Begin(in ScsiCommandPdu pdu, ulong lun, LogicalUnit? unit)
    {
        InitiatorTaskTag = pdu.InitiatorTaskTag;
        Lun = lun;
        Unit = unit;
        ExpectedBytes = pdu.Reads || pdu.Writes ? pdu.ExpectedDataTransferLength : 0;
        RoomBytes = pdu.Reads ? pdu.ExpectedDataTransferLength : 0;
        IsCounted = !pdu.Immediate;
        IsOrdered = pdu.Attribute is TaskAttribute.Ordered;
        WantedBytes = ReceivedBytes = UnsolicitedLimit = SolicitedBytes = BurstEnd = 0;
        R2TCount = BurstsDone = NextDataSN = 0;
        DataDueAt = 0;
        ExpectsUnsolicited = Runs = false;
        Aborts.Clear();
    }

    /// <summary>What the command wants, which is bounded by what one may move.</summary>
    public void Expect(int bytes) => WantedBytes = bytes;

    /// <summary>Takes the room for all of the data.</summary>
    public void Grant(PooledBuffer buffer)
    {
        Invariant.Require(data is null && buffer.Length >= WantedBytes);
        data = buffer;
    }

    /// <summary>
    /// Where the next bytes go. Bytes beyond what the command wants are not kept: the span ends before them.
    /// </summary>
    public Span<byte> NextRoom(int bytes)
    {
        var at = Math.Min(ReceivedBytes, WantedBytes);
        return data is null ? default : data.Span.Slice(at, Math.Min(bytes, WantedBytes - at));
    }

    public void Received(int bytes) => ReceivedBytes += bytes;

    /// <summary>Gives the buffer back.</summary>
    public void End()
    {
        if (data is null) return;
        data.Dispose();
        data = null;
    }
}
