using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>MODE SENSE and MODE SELECT 6 and 10 (SPC-4, 6.11 to 6.14).</summary>
static class ModeCommands
{
    const int Header6Bytes = 4, Header10Bytes = 8, ShortDescriptorBytes = 8, LongDescriptorBytes = 16;
    const int WriteProtectBit = 0x80, DpoFuaBit = 0x10, LongLbaBit = 0x10, DisableDescriptorsBit = 0x08;
    const int PageFormatBit = 0x10, SavePagesBit = 0x01;

    public static readonly CommandDescription[] Descriptions =
    [
        new("MODE SENSE(6)", [0x1A, 0x08, 0xFF, 0xFF, 0xFF, 0x00], DecodeSense, ModeSense)
        { Direction = DataDirection.In, CountsAs = MediumAccess.Read, ReachesTo = PathState.Standby },
        new("MODE SENSE(10)", [0x5A, 0x18, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], DecodeSense, ModeSense)
        { Direction = DataDirection.In, CountsAs = MediumAccess.Read, ReachesTo = PathState.Standby },
        new("MODE SELECT(6)", [0x15, 0x11, 0x00, 0x00, 0xFF, 0x00], DecodeSelect, ModeSelect)
        { Direction = DataDirection.Out, CountsAs = MediumAccess.Write, ReachesTo = PathState.Standby },
        new("MODE SELECT(10)", [0x55, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], DecodeSelect, ModeSelect)
        { Direction = DataDirection.Out, CountsAs = MediumAccess.Write, ReachesTo = PathState.Standby },
    ];

    static bool IsShort(ScsiCommand command) => command.Cdb[0] >> 5 == 0;

    static Sense? DecodeSense(ScsiCommand command)
    {
        const int saved = 3;
        command.DataBytes = IsShort(command) ? command.Cdb[4] : command.UInt16(7);
        if (command.Cdb[2] >> 6 == saved) return new(SenseKey.IllegalRequest, AdditionalSense.SavingParametersNotSupported);
        if (!ModePages.IsKnown(command.Cdb[2] & 0x3F)) return Sense.InvalidFieldInCdb(2);
        // No page has subpages; "all subpages" of one is the page itself.
        return command.Cdb[3] is 0x00 or 0xFF ? null : Sense.InvalidFieldInCdb(3);
    }

    // Mode parameter header (SPC-4, 7.5.4)
    //   (6)   0  bytes that follow   1  medium type   2  WP 80h, DPOFUA 10h   3  bytes of block descriptors
    //   (10)  0  bytes that follow, 2   2  medium type   3  WP, DPOFUA   4  LONGLBA 01h   6  bytes of block descriptors, 2
    static ValueTask<ScsiResult> ModeSense(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        var unit = command.Unit;
        Span<byte> data = stackalloc byte[Header10Bytes + LongDescriptorBytes + ModePages.AllSizeBytes];
        data.Clear();
        var header = IsShort(command) ? Header6Bytes : Header10Bytes;
        var longLba = !IsShort(command) && (command.Cdb[1] & LongLbaBit) != 0;
        var descriptor = (command.Cdb[1] & DisableDescriptorsBit) != 0 ? 0 : longLba ? LongDescriptorBytes : ShortDescriptorBytes;
        var isProtected = command.Session.IsReadOnly || unit.Mode.SoftwareWriteProtect;
        var flags = (byte)(DpoFuaBit | (isProtected ? WriteProtectBit : 0));
        if (descriptor != 0) WriteBlockDescriptor(data[header..], unit, longLba);
        var end = header + descriptor;
        end += ModePages.Write(data[end..], command.Cdb[2] & 0x3F, command.Cdb[2] >> 6, unit.Mode);
        if (IsShort(command))
        {
            data[0] = (byte)(end - 1);
            data[2] = flags;
            data[3] = (byte)descriptor;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(end - 2));
            data[3] = flags;
            data[4] = (byte)(longLba ? 1 : 0);
            BinaryPrimitives.WriteUInt16BigEndian(data[6..], (ushort)descriptor);
        }
        return command.Answer(data[..end].ToArray());
    }

    // Block descriptors (SBC-3, 6.4.2): count and size of blocks.
    static void WriteBlockDescriptor(Span<byte> target, LogicalUnit unit, bool longLba)
    {
        if (longLba)
        {
            BinaryPrimitives.WriteInt64BigEndian(target, unit.BlockCount);
            BinaryPrimitives.WriteInt32BigEndian(target[12..], unit.BlockSizeBytes);
            return;
        }
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)Math.Min(uint.MaxValue, unit.BlockCount));
        BinaryPrimitives.WriteInt32BigEndian(target[4..], unit.BlockSizeBytes);
    }

    static Sense? DecodeSelect(ScsiCommand command)
    {
        if ((command.Cdb[1] & SavePagesBit) != 0 || (command.Cdb[1] & PageFormatBit) == 0) return Sense.InvalidFieldInCdb(1);
        command.DataBytes = IsShort(command) ? command.Cdb[4] : command.UInt16(7);
        return null;
    }

    static ValueTask<ScsiResult> ModeSelect(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        if (command.DataBytes == 0) return new(ScsiResult.Good);
        var list = dataOut.Span;
        var header = IsShort(command) ? Header6Bytes : Header10Bytes;
        if (list.Length < header) return ScsiResult.CheckAsync(Sense.ParameterListLengthError);
        var descriptor = IsShort(command) ? list[3] : BinaryPrimitives.ReadUInt16BigEndian(list[6..]);
        if (list.Length - header < descriptor) return ScsiResult.CheckAsync(Sense.ParameterListLengthError);
        var mode = command.Unit.Mode;
        if (CheckBlockDescriptor(command, list.Slice(header, descriptor), header) is { } wrongDescriptor)
            return ScsiResult.CheckAsync(wrongDescriptor);
        if (ModePages.Read(list[(header + descriptor)..], header + descriptor, ref mode) is { } problem)
            return ScsiResult.CheckAsync(problem);
        if (mode != command.Unit.Mode)
        {
            command.Unit.Mode = mode;
            command.Unit.Attention(AdditionalSense.ModeParametersChanged, except: command.Nexus);
        }
        return new(ScsiResult.Good);
    }

    /// <summary>The medium has its format; a descriptor may only repeat it.</summary>
    static Sense? CheckBlockDescriptor(ScsiCommand command, ReadOnlySpan<byte> descriptor, int offset)
    {
        if (descriptor.IsEmpty) return null;
        if (descriptor.Length is not (ShortDescriptorBytes or LongDescriptorBytes)) return Sense.ParameterListLengthError;
        Span<byte> own = stackalloc byte[descriptor.Length];
        own.Clear();
        WriteBlockDescriptor(own, command.Unit, descriptor.Length == LongDescriptorBytes);
        return descriptor.SequenceEqual(own) ? null : Sense.InvalidFieldInParameterList(offset);
    }
}
