using System.Buffers;
using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>UNMAP, WRITE SAME 10/16 and GET LBA STATUS (SBC-3, 5.28, 5.41, 5.42 and 5.4).</summary>
static class ProvisioningCommands
{
    const int UnmapHeaderBytes = 8, UnmapDescriptorBytes = 16;
    const int AnchorBit = 0x10, UnmapBit = 0x08, NoDataOutBufferBit = 0x01;
    const int StatusHeaderBytes = 8, StatusDescriptorBytes = 16, MaxStatusDescriptors = 256;
    const int PatternBytes = 256 * 1024;

    public static readonly CommandDescription[] Descriptions =
    [
        new("UNMAP", [0x42, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], DecodeUnmap, Unmap)
        { Direction = DataDirection.Out, MayWait = true },
        new("WRITE SAME(10)", [0x41, 0xE8, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00], DecodeWriteSame, WriteSame)
        { Direction = DataDirection.Out, MayWait = true, TakesExactData = true },
        new("WRITE SAME(16)",
            [0x93, 0xE9, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            DecodeWriteSame, WriteSame)
        { Direction = DataDirection.Out, MayWait = true, TakesExactData = true },
        new("GET LBA STATUS",
            [0x9E, 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            DecodeGetLbaStatus, GetLbaStatus)
        { ServiceAction = 0x12, Direction = DataDirection.In },
    ];

    static Sense? DecodeUnmap(ScsiCommand command)
    {
        if (WriteCommands.CheckWritable(command) is { } readOnly) return readOnly;
        if ((command.Cdb[1] & 1) != 0) return Sense.InvalidFieldInCdb(1); // ANCHOR: blocks are mapped or not.
        command.DataBytes = command.UInt16(7);
        return null;
    }

    // UNMAP parameter list (SBC-3, 5.28.2), big-endian
    //   0  length of what follows   2  length of the descriptors   4  reserved
    //   8  descriptors: LBA (8 bytes), number of blocks (4), reserved (4)
    static async ValueTask<ScsiResult> Unmap(ScsiCommand command, ReadOnlyMemory<byte> list)
    {
        if (command.DataBytes == 0) return ScsiResult.Good;
        if (CheckUnmap(command, list.Span) is { } problem) return ScsiResult.Check(problem);
        try
        {
            for (var at = UnmapHeaderBytes; at < UnmapHeaderBytes + DescriptorBytes(list.Span); at += UnmapDescriptorBytes)
            {
                var (lba, count) = ReadDescriptor(list.Span[at..]);
                if (count != 0) await ZeroAsync(command, (long)lba, count, trim: true);
            }
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }

    /// <summary>Checks the whole list before anything is done, so that a bad one changes nothing.</summary>
    static Sense? CheckUnmap(ScsiCommand command, ReadOnlySpan<byte> list)
    {
        if (list.Length < UnmapHeaderBytes) return Sense.ParameterListLengthError;
        var descriptorBytes = DescriptorBytes(list);
        if (descriptorBytes > list.Length - UnmapHeaderBytes) return Sense.ParameterListLengthError;
        if (descriptorBytes / UnmapDescriptorBytes > LogicalUnit.MaxUnmapDescriptors) return Sense.InvalidFieldInParameterList(2);
        long total = 0;
        for (var at = UnmapHeaderBytes; at < UnmapHeaderBytes + descriptorBytes; at += UnmapDescriptorBytes)
        {
            var (lba, count) = ReadDescriptor(list[at..]);
            // Nothing may be unmapped even right behind the last block.
            if (!BlockFields.IsInRange(command.Unit, lba, count) && (count != 0 || lba != (ulong)command.Unit.BlockCount))
                return Sense.LbaOutOfRange;
            total += count;
            if (total > LogicalUnit.MaxUnmapBlocks) return Sense.InvalidFieldInParameterList(at + 8);
        }
        return null;
    }

    /// <summary>Bytes of whole descriptors; a rest that is no whole one is to be ignored.</summary>
    static int DescriptorBytes(ReadOnlySpan<byte> list) =>
        BinaryPrimitives.ReadUInt16BigEndian(list[2..]) / UnmapDescriptorBytes * UnmapDescriptorBytes;

    static (ulong Lba, uint Count) ReadDescriptor(ReadOnlySpan<byte> source) =>
        (BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt32BigEndian(source[8..]));

    static Sense? DecodeWriteSame(ScsiCommand command)
    {
        if (WriteCommands.CheckWritable(command) is { } readOnly) return readOnly;
        if (BlockFields.CheckProtection(command) is { } protection) return protection;
        if ((command.Cdb[1] & AnchorBit) != 0) return Sense.InvalidFieldInCdb(1);
        var noData = (command.Cdb[1] & NoDataOutBufferBit) != 0;
        if (noData && command.Cdb[0] == 0x41) return Sense.InvalidFieldInCdb(1);
        if (BlockFields.DecodeRange(command) is { } outside) return outside;
        // Zero blocks would mean "to the end"; the block limits page says (WSNZ) that it does not here.
        if (command.BlockCount is 0 or > LogicalUnit.MaxWriteSameBlocks)
            return Sense.InvalidFieldInCdb(command.Cdb[0] == 0x41 ? 7 : 10);
        return BlockFields.SetDataBytes(command, noData ? 0 : 1);
    }

    static async ValueTask<ScsiResult> WriteSame(ScsiCommand command, ReadOnlyMemory<byte> block)
    {
        var noData = (command.Cdb[1] & NoDataOutBufferBit) != 0;
        if (!noData && block.Length < command.BlockSizeBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        try
        {
            if (noData || !block.Span.ContainsAnyExcept((byte)0))
                await ZeroAsync(command, command.Lba, command.BlockCount, (command.Cdb[1] & UnmapBit) != 0);
            else
                await RepeatAsync(command, block);
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }

    static ValueTask ZeroAsync(ScsiCommand command, long lba, long count, bool trim)
    {
        var unit = command.Unit;
        var (offset, length) = (lba << unit.BlockShift, count << unit.BlockShift);
        // Without UNMAP the space of the blocks must stay theirs, or a later write could fail for want of it.
        return trim
            ? command.Session.TrimAsync(offset, length, command.Aborted)
            : command.Session.WriteZeroesAsync(offset, length, ZeroOptions.KeepAllocated, command.Aborted);
    }

    static async ValueTask RepeatAsync(ScsiCommand command, ReadOnlyMemory<byte> block)
    {
        var unit = command.Unit;
        var lengthBytes = command.BlockCount << unit.BlockShift;
        var pattern = ArrayPool<byte>.Shared.Rent((int)Math.Min(PatternBytes, lengthBytes));
        var patternBytes = (int)Math.Min(PatternBytes, lengthBytes);
        try
        {
            for (var at = 0; at < patternBytes; at += block.Length) block.Span.CopyTo(pattern.AsSpan(at));
            for (long done = 0; done < lengthBytes; done += patternBytes)
            {
                var part = pattern.AsMemory(0, (int)Math.Min(patternBytes, lengthBytes - done));
                await command.Session.WriteAsync((command.Lba << unit.BlockShift) + done, part, cancellationToken: command.Aborted);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pattern);
        }
    }

    static Sense? DecodeGetLbaStatus(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(10);
        return BlockFields.CheckRange(command, command.UInt64(2), 0);
    }

    // GET LBA STATUS parameter data (SBC-3, 5.4.2), big-endian
    //   0  length of what follows   4  reserved
    //   8  descriptors: LBA (8 bytes), number of blocks (4), 0 = mapped or 1 = deallocated (1), reserved (3)
    static async ValueTask<ScsiResult> GetLbaStatus(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        var unit = command.Unit;
        var room = (int)Math.Clamp((command.DataBytes - StatusHeaderBytes) / StatusDescriptorBytes, 1, MaxStatusDescriptors);
        var extents = new BlockExtent[room];
        int count;
        try
        {
            count = await command.Session.DescribeExtentsAsync(new Lba(command.Lba), unit.BlockCount - command.Lba, extents);
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: false);
        }
        var answer = new byte[StatusHeaderBytes + (StatusDescriptorBytes * room)];
        var end = WriteExtents(answer, command.Lba, extents.AsSpan(0, count));
        BinaryPrimitives.WriteInt32BigEndian(answer, end - 4);
        return await command.Answer(answer.AsMemory(0, end));
    }

    /// <summary>Writes one descriptor for neighbours of equal state: allocated zeros and data are both mapped.</summary>
    static int WriteExtents(Span<byte> answer, long lba, ReadOnlySpan<BlockExtent> extents)
    {
        var end = StatusHeaderBytes;
        for (var i = 0; i < extents.Length && end < answer.Length;)
        {
            var hole = extents[i].Kind == BlockExtentKind.Hole;
            long count = 0;
            while (i < extents.Length && extents[i].Kind == BlockExtentKind.Hole == hole) count += extents[i++].BlockCount;
            var described = (uint)Math.Min(count, uint.MaxValue);
            BinaryPrimitives.WriteInt64BigEndian(answer[end..], lba);
            BinaryPrimitives.WriteUInt32BigEndian(answer[(end + 8)..], described);
            answer[end + 12] = (byte)(hole ? 1 : 0);
            end += StatusDescriptorBytes;
            lba += described;
            if (described != count) break;
        }
        return end;
    }
}
