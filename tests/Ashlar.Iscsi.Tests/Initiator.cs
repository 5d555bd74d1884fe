using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Scsi;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>A PDU that the target sent.</summary>
sealed record Pdu(byte[] Header, byte[] Data)
{
    public Opcode Opcode => Bhs.ReadOpcode(Header);

    public TargetNumbers Numbers => TargetNumbers.Read(Header);

    public string Text => Encoding.UTF8.GetString(Data);

    /// <summary>Sense of a SCSI response: "5/24/00".</summary>
    public string Sense => Data.Length < 16 ? "" : $"{Data[4]:X}/{Data[14]:X2}/{Data[15]:X2}";
}

/// <summary>A small initiator that also does what it should not.</summary>
sealed class Initiator : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Socket socket;
    uint nextTag = 1;

    public Initiator(IPEndPoint endPoint)
    {
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(endPoint);
        socket.ReceiveTimeout = socket.SendTimeout = (int)Patience.TotalMilliseconds;
    }

    public uint CmdSN { get; set; } = 100;

    public uint StatSN { get; private set; }

    public static string Names(string initiator = "iqn.2026-11.test:one", string target = TestTarget.Name) =>
        $"InitiatorName={initiator}\0TargetName={target}\0SessionType=Normal\0AuthMethod=None\0";

    public uint NewTag() => nextTag++;

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
    }

    public void Send(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data = default)
    {
        var pdu = new byte[header.Length + data.Length + Bhs.Padding(data.Length)];
        header.CopyTo(pdu);
        data.CopyTo(pdu.AsSpan(header.Length));
        SendRaw(pdu);
    }

    public Pdu Receive()
    {
        var header = ReceiveExactly(Bhs.SizeBytes);
        var length = Bhs.ReadDataSegmentLength(header);
        var data = ReceiveExactly(length + Bhs.Padding(length));
        var pdu = new Pdu(header, data[..length]);
        if (pdu.Opcode is not (Opcode.ReadyToTransfer or Opcode.DataIn) || (header[1] & 1) != 0)
            StatSN = TargetNumbers.Read(header).StatSN;
        return pdu;
    }

    public Pdu Receive(Opcode expected)
    {
        var pdu = Receive();
        Assert.Equal(expected, pdu.Opcode);
        return pdu;
    }

    /// <summary>Whether the target closes the connection, whatever it says before.</summary>
    public bool IsClosed()
    {
        var scratch = new byte[4096];
        try
        {
            while (socket.Receive(scratch) > 0)
            {
            }
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted;
        }
    }

    /// <summary>All that the target still says until it closes the connection, which it must.</summary>
    public byte[] ReceiveToEnd()
    {
        using var received = new MemoryStream();
        var scratch = new byte[4096];
        try
        {
            for (int count; (count = socket.Receive(scratch)) > 0;) received.Write(scratch, 0, count);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            // Hung up with our bytes unread.
        }
        return received.ToArray();
    }

    /// <summary>Says that nothing more is sent.</summary>
    public void EndInput() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Whether nothing comes for a moment, proven by a ping that is answered first.</summary>
    public void MustHaveNothingButThePing()
    {
        var tag = Ping();
        Assert.Equal(tag, NopInPdu.Read(Receive(Opcode.NopIn).Header).InitiatorTaskTag);
    }

    /// <summary>Whether all that was sent so far has been looked at, whatever is said about it.</summary>
    public void MustAnswerPing()
    {
        var tag = Ping();
        while (true)
        {
            var pdu = Receive();
            if (pdu.Opcode == Opcode.NopIn && NopInPdu.Read(pdu.Header).InitiatorTaskTag == tag) return;
        }
    }

    public uint Ping(byte[]? data = null)
    {
        var header = new byte[Bhs.SizeBytes];
        var tag = NewTag();
        new NopOutPdu(Immediate: true, tag, Bhs.NoTag, CmdSN, StatSN + 1).Write(header, data?.Length ?? 0);
        Send(header, data);
        return tag;
    }

    public Pdu Login(
        string text, LoginStage current = LoginStage.Operational, LoginStage next = LoginStage.FullFeature, bool transit = true,
        bool continues = false, ulong isid = 0x8000_0000_0001, ushort tsih = 0, byte versionMin = 0, ushort cid = 0)
    {
        SendLogin(text, current, next, transit, continues, isid, tsih, versionMin, cid);
        return Receive(Opcode.LoginResponse);
    }

    public void SendLogin(
        string text, LoginStage current, LoginStage next, bool transit = true, bool continues = false, ulong isid = 0x8000_0000_0001,
        ushort tsih = 0, byte versionMin = 0, ushort cid = 0)
    {
        var header = new byte[Bhs.SizeBytes];
        var data = Encoding.UTF8.GetBytes(text);
        new LoginRequestPdu(transit, continues, current, next, 0, versionMin, isid, tsih, 1, cid, CmdSN, StatSN + 1).Write(
            header, data.Length);
        Send(header, data);
    }

    public Pdu LogIn(string initiator, ulong isid, string target = TestTarget.Name, string? keys = null)
    {
        keys ??= "InitialR2T=No\0ImmediateData=Yes\0MaxRecvDataSegmentLength=262144\0MaxBurstLength=1048576\0"
            + "FirstBurstLength=262144\0MaxOutstandingR2T=8\0";
        var response = Login(Names(initiator, target) + keys, isid: isid);
        Assert.Equal(LoginStatus.Success, LoginResponsePdu.Read(response.Header).Status);
        return response;
    }

    public void ClearAttention() => Assert.Equal("6/29/00", Command(new byte[16]).Sense);

    public uint SendCommand(
        byte[] cdb, uint expected = 0, bool reads = false, bool writes = false, byte[]? immediate = null, bool final = true,
        uint? tag = null, bool isImmediate = false, byte[]? lun = null, TaskAttribute attribute = TaskAttribute.Simple)
    {
        var header = new byte[Bhs.SizeBytes];
        var padded = new byte[16];
        cdb.CopyTo(padded, 0);
        var used = tag ?? NewTag();
        var pdu = new ScsiCommandPdu(isImmediate, final, reads, writes, attribute, used, expected, CmdSN, StatSN + 1);
        pdu.Write(header, lun ?? new byte[8], padded, immediate?.Length ?? 0);
        if (!isImmediate) CmdSN++;
        Send(header, immediate);
        return used;
    }

    /// <summary>A command without data, or one whose data comes in Data-In PDUs that are put together.</summary>
    public Pdu Command(byte[] cdb, uint expected = 0)
    {
        SendCommand(cdb, expected, reads: expected > 0);
        return ReceiveResult();
    }

    /// <summary>The status of a command, with all its data.</summary>
    public Pdu ReceiveResult()
    {
        var data = new List<byte>();
        while (true)
        {
            var pdu = Receive();
            if (pdu.Opcode == Opcode.ScsiResponse) return pdu;
            Assert.Equal(Opcode.DataIn, pdu.Opcode);
            var dataIn = DataInPdu.Read(pdu.Header);
            Assert.Equal((uint)data.Count, dataIn.BufferOffset);
            data.AddRange(pdu.Data);
            if (dataIn.HasStatus) return pdu with { Data = [.. data] };
        }
    }

    public byte[] Read(uint lba, int count, int blockSizeBytes = 512)
    {
        var result = Command(Cdb(0x28, lba, count), (uint)(count * blockSizeBytes));
        Assert.True(result.Opcode == Opcode.DataIn, result.Sense);
        return result.Data;
    }

    public void Write(uint lba, byte[] data, int blockSizeBytes = 512)
    {
        SendCommand(Cdb(0x2A, lba, data.Length / blockSizeBytes), (uint)data.Length, writes: true, immediate: data);
        MustBeGood(ReceiveResult());
    }

    public void SendDataOut(uint tag, uint transferTag, uint dataSN, uint offset, byte[] data, bool final)
    {
        var header = new byte[Bhs.SizeBytes];
        new DataOutPdu(final, tag, transferTag, StatSN + 1, dataSN, offset).Write(header, data.Length);
        Send(header, data);
    }

    public Pdu ManageTasks(TaskManagementFunction function, uint referenced = Bhs.NoTag, uint refCmdSN = 0, byte[]? lun = null)
    {
        SendTaskManagement(function, referenced, refCmdSN, lun);
        return Receive(Opcode.TaskManagementResponse);
    }

    public void SendTaskManagement(TaskManagementFunction function, uint referenced = Bhs.NoTag, uint refCmdSN = 0, byte[]? lun = null)
    {
        var header = new byte[Bhs.SizeBytes];
        new TaskManagementRequestPdu(true, function, NewTag(), referenced, CmdSN, StatSN + 1, refCmdSN).Write(header, lun ?? new byte[8]);
        Send(header);
    }

    public Pdu SendText(string text, bool final = true, bool continues = false, uint transferTag = Bhs.NoTag)
    {
        var header = new byte[Bhs.SizeBytes];
        var data = Encoding.UTF8.GetBytes(text);
        new TextRequestPdu(true, final, continues, NewTag(), transferTag, CmdSN, StatSN + 1).Write(header, data.Length);
        Send(header, data);
        return Receive();
    }

    public Pdu LogOut(int reason = LogoutRequestPdu.CloseSession, ushort cid = 0)
    {
        SendLogOut(reason, cid);
        return Receive(Opcode.LogoutResponse);
    }

    public void SendLogOut(int reason = LogoutRequestPdu.CloseSession, ushort cid = 0)
    {
        var header = new byte[Bhs.SizeBytes];
        new LogoutRequestPdu(true, reason, NewTag(), cid, CmdSN, StatSN + 1).Write(header);
        Send(header);
    }

    public static byte[] Cdb(byte opcode, uint lba, int count)
    {
        var cdb = new byte[16];
        cdb[0] = opcode;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), lba);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), (ushort)count);
        return cdb;
    }

    public static void MustBeGood(Pdu result) =>
        Assert.True(result.Header[3] == (byte)ScsiStatus.Good, $"status {result.Header[3]:X2} {result.Sense}");

    public void Dispose() => socket.Dispose();

    byte[] ReceiveExactly(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var more = socket.Receive(bytes, received, count - received, SocketFlags.None);
            if (more == 0) throw new EndOfStreamException("the target closed the connection");
            received += more;
        }
        return bytes;
    }
}
