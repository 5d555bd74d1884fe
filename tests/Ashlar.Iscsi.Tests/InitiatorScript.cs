using System.Text;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>What an initiator sends in a whole session, as bytes.</summary>
sealed class InitiatorScript
{
    public const string Keys = "InitialR2T=No\0ImmediateData=Yes\0MaxRecvDataSegmentLength=262144\0"
        + "MaxBurstLength=1048576\0FirstBurstLength=4096\0";

    readonly List<byte> bytes = [];
    uint cmdSN = 100;
    uint nextTag = 1;

    public byte[] Bytes => [.. bytes];

    public int Length => bytes.Count;

    /// <summary>Where the initiator may be silent as long as it likes: between PDUs, when no data is due.</summary>
    public List<int> IdlePoints { get; } = [];

    /// <summary>The CmdSN and the tag that come next.</summary>
    public (uint CmdSN, uint Tag) Next => (cmdSN, nextTag);

    /// <summary>A session up to where commands begin.</summary>
    public static InitiatorScript Open(string initiator = "iqn.2026-11.test:slow", ulong isid = 0x8000_0000_0001)
    {
        var script = new InitiatorScript().Login(Initiator.Names(initiator) + Keys, isid);
        script.IdlePoints.Add(script.Length);
        return script.Command([0]); // Takes the unit attention.
    }

    public InitiatorScript Login(string text, ulong isid = 0x8000_0000_0001)
    {
        var data = Encoding.UTF8.GetBytes(text);
        return Pdu(
            data,
            header =>
            {
                const LoginStage current = LoginStage.Operational, next = LoginStage.FullFeature;
                new LoginRequestPdu(true, false, current, next, 0, 0, isid, 0, nextTag++, 0, cmdSN, 0).Write(header, data.Length);
            });
    }

    /// <summary>A SCSI command; data that is not immediate is due until <see cref="DataOut"/> has brought it.</summary>
    public InitiatorScript Command(byte[] cdb, uint expected = 0, bool writes = false, byte[]? immediate = null, bool isFinal = true)
    {
        var padded = new byte[16];
        cdb.CopyTo(padded, 0);
        Pdu(
            immediate ?? [],
            header => new ScsiCommandPdu(
                false, isFinal, expected > 0 && !writes, writes, TaskAttribute.Simple, nextTag++, expected, cmdSN++, 1).Write(
                header, new byte[8], padded, immediate?.Length ?? 0));
        if (!writes || immediate?.Length == expected) IdlePoints.Add(Length);
        return this;
    }

    /// <summary>Data of the last command.</summary>
    public InitiatorScript DataOut(uint transferTag, uint dataSN, uint offset, byte[] data, bool isLast)
    {
        Pdu(data, header => new DataOutPdu(true, nextTag - 1, transferTag, 1, dataSN, offset).Write(header, data.Length));
        if (isLast) IdlePoints.Add(Length);
        return this;
    }

    public InitiatorScript Ping(byte[] data)
    {
        Pdu(data, header => new NopOutPdu(true, nextTag++, Bhs.NoTag, cmdSN, 1).Write(header, data.Length));
        IdlePoints.Add(Length);
        return this;
    }

    public InitiatorScript Text(string text, bool isWhole = true)
    {
        var data = Encoding.UTF8.GetBytes(text);
        Pdu(data, header => new TextRequestPdu(true, isWhole, !isWhole, nextTag++, Bhs.NoTag, cmdSN, 1).Write(header, data.Length));
        IdlePoints.Add(Length);
        return this;
    }

    public InitiatorScript Raw(ReadOnlySpan<byte> data)
    {
        bytes.AddRange(data);
        return this;
    }

    /// <summary>The PDUs of the target, one after the other.</summary>
    public static List<Pdu> Read(ReadOnlySpan<byte> taken)
    {
        var pdus = new List<Pdu>();
        while (taken.Length >= Bhs.SizeBytes)
        {
            var length = Bhs.ReadDataSegmentLength(taken);
            var whole = Bhs.SizeBytes + length + Bhs.Padding(length);
            if (taken.Length < whole) break;
            pdus.Add(new(taken[..Bhs.SizeBytes].ToArray(), taken.Slice(Bhs.SizeBytes, length).ToArray()));
            taken = taken[whole..];
        }
        return pdus;
    }

    InitiatorScript Pdu(byte[] data, Action<byte[]> write)
    {
        var header = new byte[Bhs.SizeBytes];
        write(header);
        return Raw(header).Raw(data).Raw(new byte[Bhs.Padding(data.Length)]);
    }
}
