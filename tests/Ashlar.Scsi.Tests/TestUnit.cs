using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

/// <summary>What came back for a command.</summary>
sealed record Answer(ScsiStatus Status, Sense Sense, byte[] Data)
{
    /// <summary>Sense as engineers write it: "5/24/00".</summary>
    public string Code => $"{(int)Sense.Key:X}/{(int)Sense.Additional >> 8:X2}/{(int)Sense.Additional & 0xFF:X2}";

    public byte[] MustBeGood()
    {
        Assert.True(Status == ScsiStatus.Good, $"{Status} {Code}");
        return Data;
    }

    public void MustFail(string code)
    {
        Assert.Equal(ScsiStatus.CheckCondition, Status);
        Assert.Equal(code, Code);
    }
}

/// <summary>A unit with one initiator, without a socket.</summary>
sealed class TestUnit
{
    public static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");

    readonly byte[] lun = new byte[8];

    readonly string initiator;

    public TestUnit(
        ScriptedDevice? device = null, bool clearAttention = true, string initiator = "one", IReservationStore? store = null,
        IPathStates? paths = null)
    {
        Paths = paths;
        this.initiator = initiator;
        Device = device ?? new ScriptedDevice();
        Unit = new LogicalUnit(Id, new VolumeFront(Device, reservations: store));
        Nexus = Connect();
        if (clearAttention) Send([0, 0, 0, 0, 0, 0]).MustFail("6/29/00");
    }

    public TestUnit(LogicalUnit unit, string initiator = "one")
    {
        this.initiator = initiator;
        Device = (ScriptedDevice)unit.Volume.Device;
        Unit = unit;
        Nexus = Connect();
        Send([0, 0, 0, 0, 0, 0]).MustFail("6/29/00");
    }

    public IPathStates? Paths { get; }

    public ScriptedDevice Device { get; }

    public LogicalUnit Unit { get; }

    public ScsiNexus Nexus { get; }

    public ClientSession Session { get; private set; } = null!;

    public Answer Send(byte[] cdb, byte[]? dataOut = null, int lunNumber = 0)
    {
        var task = SendAsync(cdb, dataOut, lunNumber);
        Assert.True(task.IsCompleted, "the command waits");
        return task.GetAwaiter().GetResult();
    }

    public async Task<Answer> SendAsync(byte[] cdb, byte[]? dataOut = null, int lunNumber = 0)
    {
        var command = new ScsiCommand();
        lun[1] = (byte)lunNumber;
        var padded = new byte[ScsiCommand.MaxCdbBytes];
        cdb.CopyTo(padded, 0);
        Nexus.Begin(command, lun, padded);
        if (command.IsRefused) return new(command.Refusal.Status, command.Refusal.Sense, []);
        if (command.ReadsMedium)
        {
            var data = new byte[command.DataBytes];
            var read = data.Length == 0 ? ScsiResult.Good : await command.ReadAsync(0, data);
            return new(read.Status, read.Sense, read.Status == ScsiStatus.Good ? data : []);
        }
        var result = await command.ExecuteAsync(dataOut ?? []);
        return new(result.Status, result.Sense, result.DataIn.ToArray());
    }

    /// <summary>A CDB of 16 bytes with address and count where READ(16) has them.</summary>
    public static byte[] Cdb16(int opcode, ulong lba, uint count, int flags = 0)
    {
        var cdb = new byte[16];
        cdb[0] = (byte)opcode;
        cdb[1] = (byte)flags;
        BinaryPrimitives.WriteUInt64BigEndian(cdb.AsSpan(2), lba);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(10), count);
        return cdb;
    }

    public static byte[] Cdb10(int opcode, uint lba, int count, int flags = 0)
    {
        var cdb = new byte[10];
        cdb[0] = (byte)opcode;
        cdb[1] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), lba);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), (ushort)count);
        return cdb;
    }

    public static byte[] Cdb12(int opcode, uint lba, uint count, int flags = 0)
    {
        var cdb = new byte[12];
        cdb[0] = (byte)opcode;
        cdb[1] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), lba);
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(6), count);
        return cdb;
    }

    public static byte[] Blocks(int count, byte value, int blockSizeBytes = 512)
    {
        var data = new byte[count * blockSizeBytes];
        data.AsSpan().Fill(value);
        return data;
    }

    public void Fill(ulong lba, int count, byte value) =>
        Send(Cdb16(0x8A, lba, (uint)count), Blocks(count, value)).MustBeGood();

    public byte[] Read(ulong lba, int count) => Send(Cdb16(0x88, lba, (uint)count)).MustBeGood();

    /// <summary>A client of another protocol on the same volume.</summary>
    public ClientSession Attach() => Unit.Volume.Attach(new(ClientProtocol.Nbd, "192.0.2.1:4711", "192.0.2.1:4711"));

    ScsiNexus Connect()
    {
        Session = Unit.Volume.Attach(new(ClientProtocol.Iscsi, $"iqn.2026-11.test:{initiator},i,0x1", "192.0.2.2:4711") { Port = 1 });
        return new("iqn.2026-11.io.ashlar:t", "iqn.2026-11.io.ashlar:t,t,0x0001", 1, [new(0, Unit, Session)], Paths);
    }
}
