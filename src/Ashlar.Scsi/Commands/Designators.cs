using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Scsi;

/// <summary>
/// Device identification page (SPC-4, 7.8.6): names by which an initiator knows a disk again, over every path and restart.
/// </summary>
static class Designators
{
    // Designator: 0  protocol (iSCSI: 5) and code set   1  PIV 80h, association, type   3  length   4  value
    const int IscsiProtocol = 0x50;
    const int Binary = 1, Ascii = 2, Utf8 = 3;
    const int OfUnit = 0x00, OfPort = 0x90, OfDevice = 0xA0; // The latter two with PIV.
    const int VendorSpecificName = 1, Naa = 3, RelativePort = 4, PortGroup = 5, ScsiName = 8;

    public static byte[] Describe(LogicalUnit unit, ScsiNexus port)
    {
        using var page = new MemoryStream();
        Span<byte> naa = stackalloc byte[8];
        WriteNaa(naa, unit.Id);
        Add(page, Binary, OfUnit | Naa, naa);
        Add(page, Ascii, OfUnit | VendorSpecificName, Encoding.ASCII.GetBytes(InquiryData.VendorId + unit.Id.ToString("D")));
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, port.PortalGroupTag);
        Add(page, IscsiProtocol | Binary, OfPort | RelativePort, number);
        Add(page, IscsiProtocol | Binary, OfPort | PortGroup, number);
        Add(page, IscsiProtocol | Utf8, OfPort | ScsiName, Name(port.TargetPortName));
        Add(page, IscsiProtocol | Utf8, OfDevice | ScsiName, Name(port.TargetName));
        return page.ToArray();
    }

    /// <summary>Whether a designator of another command names a unit: by its NAA identifier; what else it is called is longer than fits.
    /// </summary>
    public static bool Names(LogicalUnit unit, int codeSet, int kind, ReadOnlySpan<byte> value)
    {
        Span<byte> naa = stackalloc byte[8];
        WriteNaa(naa, unit.Id);
        return codeSet == Binary && kind == (OfUnit | Naa) && value.SequenceEqual(naa);
    }

    /// <summary>
    /// NAA 3, locally assigned (SPC-4, 7.8.6.6.4): 60 bits of the unit's identity. Other forms need an organisation's number.
    /// </summary>
    static void WriteNaa(Span<byte> target, Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        // Both halves, because some bits of each are fixed by the UUID's version and variant.
        var folded = BinaryPrimitives.ReadUInt64BigEndian(bytes) ^ ulong.RotateLeft(BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), 28);
        BinaryPrimitives.WriteUInt64BigEndian(target, (3UL << 60) | (folded >> 4));
    }

    /// <summary>A name ends with NUL and is padded to a multiple of 4 (SPC-4, 7.8.6.11).</summary>
    static byte[] Name(string name)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        var bytes = new byte[(length + 4) / 4 * 4];
        Encoding.UTF8.GetBytes(name, bytes);
        return bytes;
    }

    static void Add(MemoryStream page, int protocolAndCodeSet, int kind, ReadOnlySpan<byte> value)
    {
        page.Write([(byte)protocolAndCodeSet, (byte)kind, 0, (byte)value.Length]);
        page.Write(value);
    }
}
