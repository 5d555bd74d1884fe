using System.Buffers;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>
/// COMPARE AND WRITE and ORWRITE (SBC-3, 5.2 and 5.6): they read, decide and write while nobody else writes those blocks. WRITE ATOMIC
/// (SBC-4): all of it is there or nothing, also after a power cut.
/// </summary>
static class AtomicCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        new("COMPARE AND WRITE",
            [0x89, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0x00, 0x00],
            DecodeCompareAndWrite, CompareAndWriteAsync)
        { Direction = DataDirection.Out, TakesExactData = true },
        new("ORWRITE(16)",
            [0x8B, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            WriteCommands.Decode, OrWriteAsync)
        { Direction = DataDirection.Out },
        new("WRITE ATOMIC(16)",
            [0x9C, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            DecodeWriteAtomic, WriteAtomicAsync)
        { Direction = DataDirection.Out, TakesExactData = true, IsOfferedBy = static unit => unit.MaxAtomicWriteBlocks > 0 },
    ];

    static Sense? DecodeCompareAndWrite(ScsiCommand command)
    {
        if (WriteCommands.CheckWritable(command) is { } readOnly) return readOnly;
        if (BlockFields.CheckProtection(command) is { } protection) return protection;
        var count = command.Cdb[13];
        if (BlockFields.CheckRange(command, command.UInt64(2), count) is { } outside) return outside;
        // 256 does not fit the byte and arrives as 0. Success would tell a cluster node that it holds a lock which nobody
        // looked at, so 0 is refused although the standard lets it pass.
        if (count is 0 or > LogicalUnit.MaxCompareAndWriteBlocks) return Sense.InvalidFieldInCdb(13);
        command.ForceUnitAccess = (command.Cdb[1] & BlockFields.ForceUnitAccessBit) != 0;
        return BlockFields.SetDataBytes(command, 2L * count);
    }

    static async ValueTask<ScsiResult> CompareAndWriteAsync(ScsiCommand command, ReadOnlyMemory<byte> data)
    {
        // Half a comparison proves nothing.
        if (data.Length != command.DataBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        var half = data.Length / 2;
        var writing = false;
        try
        {
            using var held = await command.Session.HoldAsync(Offset(command), half, command.Aborted);
            if (await held.FindDifferenceAsync(Offset(command), data[..half]) is { } at) return VerifyCommands.Miscompare(at);
            writing = true;
            await held.WriteAsync(Offset(command), data[half..], WriteCommands.Options(command));
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing);
        }
    }

    // 2  LBA (8)   10  atomic boundary (2): the length of several writes that are atomic each by itself   12  number of blocks (2)
    static Sense? DecodeWriteAtomic(ScsiCommand command)
    {
        if (WriteCommands.CheckWritable(command) is { } readOnly) return readOnly;
        if (BlockFields.CheckProtection(command) is { } protection) return protection;
        if (BlockFields.CheckRange(command, command.UInt64(2), command.UInt16(12)) is { } outside) return outside;
        if (command.UInt16(10) != 0) return Sense.InvalidFieldInCdb(10);
        if (command.BlockCount > command.Unit.MaxAtomicWriteBlocks) return Sense.InvalidFieldInCdb(12);
        command.ForceUnitAccess = (command.Cdb[1] & BlockFields.ForceUnitAccessBit) != 0;
        return BlockFields.SetDataBytes(command, command.BlockCount);
    }

    static async ValueTask<ScsiResult> WriteAtomicAsync(ScsiCommand command, ReadOnlyMemory<byte> data)
    {
        if (command.BlockCount == 0) return ScsiResult.Good;
        // A part of it is not what was to be there or not at all.
        if (data.Length != command.DataBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        try
        {
            await command.Session.WriteAsync(Offset(command), data, WriteCommands.Options(command) | WriteOptions.Atomic, command.Aborted);
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }

    static async ValueTask<ScsiResult> OrWriteAsync(ScsiCommand command, ReadOnlyMemory<byte> data)
    {
        if (command.BlockCount == 0) return ScsiResult.Good;
        if (data.Length != command.DataBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        var buffer = ArrayPool<byte>.Shared.Rent(data.Length);
        var writing = false;
        try
        {
            var blocks = buffer.AsMemory(0, data.Length);
            using var held = await command.Session.HoldAsync(Offset(command), data.Length, command.Aborted);
            await held.ReadAsync(Offset(command), blocks);
            Or(blocks.Span, data.Span);
            writing = true;
            await held.WriteAsync(Offset(command), blocks, WriteCommands.Options(command));
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static long Offset(ScsiCommand command) => command.Lba << command.Unit.BlockShift;

    static void Or(Span<byte> target, ReadOnlySpan<byte> source)
    {
        for (var i = 0; i < target.Length; i++) target[i] |= source[i];
    }
}
