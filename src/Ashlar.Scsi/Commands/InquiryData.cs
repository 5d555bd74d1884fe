using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Scsi;

/// <summary>What a unit says of itself: standard INQUIRY data and vital product data pages (SPC-4, 6.6.2 and 7.8).</summary>
static class InquiryData
{
    public const string VendorId = "ASHLAR  ", ProductId = "VOLUME          ", Revision = "0001";

    const byte SupportedPages = 0x00, SerialNumber = 0x80, DeviceIdentification = 0x83, ExtendedInquiry = 0x86,
        ThirdPartyCopy = 0x8F,
        BlockLimits = 0xB0, BlockCharacteristics = 0xB1, LogicalBlockProvisioning = 0xB2;

    static readonly byte[] Pages =
    [
        SupportedPages, SerialNumber, DeviceIdentification, ExtendedInquiry, ThirdPartyCopy, BlockLimits, BlockCharacteristics,
        LogicalBlockProvisioning,
    ];

    public static bool HasPage(byte page) => Array.IndexOf(Pages, page) >= 0;

    // Standard INQUIRY data (SPC-4, 6.6.2)
    //   0  qualifier, device type 0: disk   2  version 6: SPC-4   3  HISUP 10h, format 2   4  bytes that follow
    //   5  TPGS 10h: states of target port groups that initiators do not change; 3PC 08h: EXTENDED COPY   7  CMDQUE 02h
    //   8  vendor (8)   16  product (16)   32  revision (4)   58  standards kept to (2 each)
    public static byte[] Standard(bool unitExists)
    {
        const int noUnit = 0x7F, lengthBytes = 96;
        ReadOnlySpan<ushort> standards = [0x00A0 /* SAM-5 */, 0x0960 /* iSCSI */, 0x0460 /* SPC-4 */, 0x04C0 /* SBC-3 */];
        var data = new byte[lengthBytes];
        data[0] = (byte)(unitExists ? 0 : noUnit);
        data[2] = 0x06;
        data[3] = 0x12;
        data[4] = lengthBytes - 5;
        data[5] = 0x18;
        data[7] = 0x02;
        Encoding.ASCII.GetBytes(VendorId + ProductId + Revision, data.AsSpan(8));
        for (var i = 0; i < standards.Length; i++) BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(58 + (2 * i)), standards[i]);
        return data;
    }

    public static byte[] VitalProductData(byte page, LogicalUnit unit, ScsiNexus port)
    {
        var body = page switch
        {
            SupportedPages => Pages,
            SerialNumber => Encoding.ASCII.GetBytes(unit.Id.ToString("N")),
            DeviceIdentification => Designators.Describe(unit, port),
            ExtendedInquiry => Extended(),
            ThirdPartyCopy => CopyDescription.Page(),
            BlockLimits => Limits(unit),
            BlockCharacteristics => Characteristics(),
            _ => Provisioning(unit),
        };
        // Every page: 0 qualifier and device type, 1 page code, 2 length of the body.
        var data = new byte[4 + body.Length];
        data[1] = page;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)body.Length);
        body.CopyTo(data, 4);
        return data;
    }

    // Offsets below are those of the standard, which counts the header's 4 bytes.
    static byte[] Extended()
    {
        var body = new byte[0x3C];
        body[5 - 4] = 0x07; // Simple, ordered and head-of-queue tasks.
        body[6 - 4] = 0x01; // V_SUP: there is a volatile cache.
        body[7 - 4] = 0x01; // LUICLR: a unit attention is cleared for the initiator that was told, not for others.
        return body;
    }

    // Block limits (SBC-3, 6.5.3)
    static byte[] Limits(LogicalUnit unit)
    {
        var body = new byte[0x3C];
        var granularity = (uint)Math.Max(1, unit.Volume.Geometry.OptimalTransferBytes >> unit.BlockShift);
        body[4 - 4] = 0x01; // WSNZ: WRITE SAME of zero blocks is refused.
        body[5 - 4] = LogicalUnit.MaxCompareAndWriteBlocks;
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(6 - 4), (ushort)Math.Min(granularity, ushort.MaxValue));
        WriteUInt32(body, 8, LogicalUnit.MaxTransferBytes >> unit.BlockShift);
        WriteUInt32(body, 12, (LogicalUnit.MaxTransferBytes / 4) >> unit.BlockShift); // Optimal: 1 MiB, one burst.
        WriteUInt32(body, 20, LogicalUnit.MaxUnmapBlocks);
        WriteUInt32(body, 24, LogicalUnit.MaxUnmapDescriptors);
        WriteUInt32(body, 28, granularity);
        WriteUInt32(body, 32, 0x8000_0000); // UGAVALID: granules start at block 0.
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(36 - 4), LogicalUnit.MaxWriteSameBlocks);
        WriteUInt32(body, 44, unit.MaxAtomicWriteBlocks); // From any block on, of any number of them; none with a boundary.
        return body;
    }

    static void WriteUInt32(byte[] body, int standardOffset, long value) =>
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(standardOffset - 4), checked((uint)value));

    static byte[] Characteristics()
    {
        var body = new byte[0x3C];
        body[5 - 4] = 0x01; // Non-rotating medium.
        return body;
    }

    // Logical block provisioning (SBC-3, 6.5.5)
    static byte[] Provisioning(LogicalUnit unit) =>
    [
        0x00,
        0x80 | 0x40 | 0x20 | 0x04, // LBPU, LBPWS, LBPWS10: unmapped by UNMAP and WRITE SAME; LBPRZ: reads as zeros then.
        (byte)(unit.Volume.Geometry.IsThick ? 0x01 : 0x02), // Resource provisioned: what is unmapped keeps its space; or thin.
        0x00,
    ];
}
