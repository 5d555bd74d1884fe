using System.Buffers.Binary;
using System.Reflection;
using System.Text;

namespace Ashlar.Nvme;

/// <summary>Identify Controller data (NVM Express Base 2.0, figure 275): what a controller is and can.</summary>
static class ControllerIdentity
{
    public const string Model = "Ashlar volume";

    /// <summary>The longest transfer: 2^8 pages of 4 KiB.</summary>
    public const byte MaxTransferShift = 8;

    /// <summary>Blocks of a fused Compare and Write, at most.</summary>
    public const int MaxCompareAndWriteBlocks = 128;

    public const ushort FirmwareRevisionBytes = 8;

    const byte IoController = 1, DiscoveryController = 2;
    const byte SeveralPorts = 1 << 0, SeveralControllers = 1 << 1, AsymmetricAccess = 1 << 3;
    const uint HostIdsOf128Bits = 1, AnyTrafficKeepsAlive = 1 << 6;
    const byte EffectsLog = 1 << 1, LongLogs = 1 << 2;
    const ushort Compare = 1 << 0, DatasetManagement = 1 << 2, WriteZeroes = 1 << 3, ReservationCommands = 1 << 5;
    const uint Sgls = 1, SglOffsets = 1 << 20, TransportSgls = 1 << 21;

    // Present, and flushes of all namespaces at once are taken.
    const byte WriteCache = 0b111;

    /// <summary>Version of the program, as far as the field takes it.</summary>
    public static string Revision { get; } = typeof(ControllerIdentity).Assembly.GetName().Version is { } version
        ? $"{version.Major}.{version.Minor}.{version.Build}"
        : "";

    public static void Write(Span<byte> data, Controller controller)
    {
        // 0: PCI vendor, of which there is none; 4: serial number; 24: model; 64: firmware revision; 72: arbitration burst; 73: IEEE OUI.
        Text(data.Slice(4, 20), controller.Subsystem is { } volume ? volume.Id.ToString("N")[..20] : "discovery");
        Text(data.Slice(24, 40), Model);
        Text(data.Slice(64, FirmwareRevisionBytes), Revision);
        data[77] = MaxTransferShift;
        BinaryPrimitives.WriteUInt16LittleEndian(data[78..], controller.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(data[80..], ControllerProperties.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(data[96..], HostIdsOf128Bits | AnyTrafficKeepsAlive);
        data[111] = controller.IsDiscovery ? DiscoveryController : IoController;
        data[259] = AsynchronousEvents.MaxWaiting - 1;
        data[261] = controller.IsDiscovery ? LongLogs : (byte)(EffectsLog | LongLogs);
        BinaryPrimitives.WriteUInt16LittleEndian(data[320..], Nvme.KeepAlive.GranularityUnits);
        data[512] = 0x66; // Submission queue entries of 2^6 bytes,
        data[513] = 0x44; // completion queue entries of 2^4.
        BinaryPrimitives.WriteUInt16LittleEndian(data[514..], QueuePair.MaxDepth);
        BinaryPrimitives.WriteUInt32LittleEndian(data[536..], Sgls | SglOffsets | TransportSgls);
        Encoding.ASCII.GetBytes(controller.Name, data.Slice(768, 256));
        if (!controller.IsDiscovery) WriteIo(data);
    }

    static void WriteIo(Span<byte> data)
    {
        data[76] = SeveralPorts | SeveralControllers | AsymmetricAccess;
        BinaryPrimitives.WriteUInt32LittleEndian(data[92..], AsynchronousEvents.Supported);
        data[258] = 3; // Abort commands at a time, from 0.
        data[260] = 0b11; // One firmware slot, which is read-only.
        data[342] = 10; // Seconds that a change of access may take.
        data[343] = 0b0101_1111; // All states of access may be told, and groups do not change while namespaces are attached.
        BinaryPrimitives.WriteUInt32LittleEndian(data[344..], LogPages.AccessGroup); // The highest group,
        BinaryPrimitives.WriteUInt32LittleEndian(data[348..], 1);                    // and how many there are.
        BinaryPrimitives.WriteUInt32LittleEndian(data[516..], Identification.NamespaceId);
        BinaryPrimitives.WriteUInt16LittleEndian(data[520..], Compare | DatasetManagement | WriteZeroes | ReservationCommands);
        data[522] = 1; // Fused Compare and Write.
        data[525] = WriteCache;
        BinaryPrimitives.WriteUInt16LittleEndian(data[532..], MaxCompareAndWriteBlocks - 1);
        BinaryPrimitives.WriteUInt32LittleEndian(data[540..], 1); // Namespaces at most.
        // Fabrics: capsules in units of 16 bytes; bytes 1800 to 1801, where data begin in them, are 0; one descriptor each.
        BinaryPrimitives.WriteUInt32LittleEndian(data[1792..], (SubmissionEntry.SizeBytes + PduFrame.MaxInCapsuleBytes) / 16);
        BinaryPrimitives.WriteUInt32LittleEndian(data[1796..], 1);
        data[1803] = 1;
    }

    /// <summary>Texts are padded with blanks.</summary>
    static void Text(Span<byte> field, string text)
    {
        field.Fill((byte)' ');
        Encoding.ASCII.GetBytes(text.AsSpan(0, Math.Min(text.Length, field.Length)), field);
    }
}
