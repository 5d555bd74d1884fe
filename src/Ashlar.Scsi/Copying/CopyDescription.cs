using System.Buffers.Binary;

namespace Ashlar.Scsi;

/// <summary>What the unit says of its copies: once for all commands (SPC-4, 6.22) and once as a page of INQUIRY (7.8.17).</summary>
static class CopyDescription
{
    const ushort SupportedCommands = 0x0001, ParameterData = 0x0004, SupportedDescriptors = 0x0008, SupportedIdentifiers = 0x000C,
        GeneralCopyOperations = 0x8001;

    // RECEIVE COPY OPERATING PARAMETERS parameter data
    //   0  bytes that follow (4)   4  SNLID 01h: copies need no list identifier   8  targets (2)   10  segments (2)
    //   12  bytes of descriptors (4)   16  bytes of a segment (4)   34  copies at a time (2)   36  of them with list identifiers
    //   37  log2 of what segments are multiples of   43  number of kinds of descriptors   44  these
    public static byte[] OperatingParameters()
    {
        var data = new byte[46];
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[4] = 0x01;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(8), CopyLimits.MaxTargets);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(10), CopyLimits.MaxSegments);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(12), CopyLimits.MaxDescriptorBytes);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(16), CopyLimits.MaxSegmentBytes);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(34), CopyLimits.MaxCopies);
        data[36] = CopyLimits.MaxCopies;
        data[37] = CopyLimits.GranularityShift;
        data[43] = 2;
        data[44] = CopyLimits.BlockToBlock;
        data[45] = CopyLimits.IdentificationDescriptor;
        return data;
    }

    // Third-party copy page: descriptors, each  0  type (2)   2  bytes that follow, a multiple of 4 (2)
    //   0001h  4  bytes of the list   5  operation code, number of service actions, service actions
    //   0004h  8  targets (2)   10  segments (2)   12  bytes of descriptors (4)   16  inline (4)
    //   0008h  4  number of kinds of descriptors   5  these
    //   000Ch  4  bytes of the list (2)   6  identifiers of targets that are no indexes (2 each)
    //   8001h  4  copies at a time (4)   8  of them with list identifiers (4)   12  bytes of a segment (4)   16  granularity of data,
    //          17  and inline
    public static byte[] Page()
    {
        using var page = new MemoryStream();
        Add(page, SupportedCommands, [.. Commands()]);
        var limits = new byte[0x1C];
        BinaryPrimitives.WriteUInt16BigEndian(limits.AsSpan(4), CopyLimits.MaxTargets);
        BinaryPrimitives.WriteUInt16BigEndian(limits.AsSpan(6), CopyLimits.MaxSegments);
        BinaryPrimitives.WriteUInt32BigEndian(limits.AsSpan(8), CopyLimits.MaxDescriptorBytes);
        Add(page, ParameterData, limits);
        Add(page, SupportedDescriptors, [2, CopyLimits.BlockToBlock, CopyLimits.IdentificationDescriptor]);
        Add(page, SupportedIdentifiers, [0, 2, 0xFF, 0xFF]);
        var general = new byte[0x20];
        BinaryPrimitives.WriteUInt32BigEndian(general, CopyLimits.MaxCopies);
        BinaryPrimitives.WriteUInt32BigEndian(general.AsSpan(4), CopyLimits.MaxCopies);
        BinaryPrimitives.WriteUInt32BigEndian(general.AsSpan(8), CopyLimits.MaxSegmentBytes);
        general[12] = CopyLimits.GranularityShift;
        Add(page, GeneralCopyOperations, general);
        return page.ToArray();
    }

    static List<byte> Commands()
    {
        List<byte> list = [0];
        foreach (var command in CopyCommands.Descriptions.GroupBy(static each => each.OperationCode))
        {
            list.AddRange([command.Key, (byte)command.Count()]);
            list.AddRange(command.Select(static each => (byte)each.ServiceAction));
        }

        list[0] = (byte)(list.Count - 1);
        return list;
    }

    static void Add(MemoryStream page, ushort kind, byte[] body)
    {
        var length = (body.Length + 3) & ~3;
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(header, kind);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)length);
        page.Write(header);
        page.Write(body);
        page.Write(new byte[length - body.Length]);
    }
}
