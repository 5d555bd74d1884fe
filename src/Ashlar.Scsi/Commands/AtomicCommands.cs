using System.Buffers;

namespace Ashlar.Scsi;

/// <summary>
/// COMPARE AND WRITE and ORWRITE (SBC-3, 5.2 and 5.6): they read, decide and write while nobody else writes those blocks.
/// </summary>
static class AtomicCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        new("COMPARE AND WRITE",
            [0x89, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0x00, 0x00],
            DecodeCompareAndWrite, (command, data) => UpdateAsync(command, data, CompareAndWriteAsync))
        { Direction = DataDirection.Out },
        new("ORWRITE(16)",
            [0x8B, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            WriteCommands.Decode, (command, data) => UpdateAsync(command, data, OrWriteAsync))
        { Direction = DataDirection.Out },
    ];

    delegate ValueTask<ScsiResult> Update(ScsiCommand command, ReadOnlyMemory<byte> data, Memory<byte> current);

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

    static async ValueTask<ScsiResult> UpdateAsync(ScsiCommand command, ReadOnlyMemory<byte> data, Update update)
    {
        if (command.BlockCount == 0) return ScsiResult.Good; // ORWRITE
        // Half a comparison proves nothing: these commands need all of their data.
        if (data.Length != command.DataBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        var unit = command.Unit;
        var lengthBytes = (int)(command.BlockCount << unit.BlockShift);
        var buffer = ArrayPool<byte>.Shared.Rent(lengthBytes);
        await unit.Ranges.EnterAsync(command, command.Lba, command.BlockCount, exclusive: true).ConfigureAwait(false);
        try
        {
            var current = buffer.AsMemory(0, lengthBytes);
            var read = await ReadAsync(command, current).ConfigureAwait(false);
            return read.Status == ScsiStatus.Good ? await update(command, data, current).ConfigureAwait(false) : read;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return ScsiResult.Check(DeviceErrors.ToSense(e, writing: true));
        }
        finally
        {
            unit.Ranges.Leave(command);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static async ValueTask<ScsiResult> CompareAndWriteAsync(ScsiCommand command, ReadOnlyMemory<byte> data, Memory<byte> current)
    {
        var equal = data.Span[..current.Length].CommonPrefixLength(current.Span);
        if (equal < current.Length) return VerifyCommands.Miscompare(equal);
        await WriteAsync(command, data[current.Length..]).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    static async ValueTask<ScsiResult> OrWriteAsync(ScsiCommand command, ReadOnlyMemory<byte> data, Memory<byte> current)
    {
        Or(current.Span, data.Span);
        await WriteAsync(command, current).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    static void Or(Span<byte> target, ReadOnlySpan<byte> source)
    {
        for (var i = 0; i < target.Length; i++) target[i] |= source[i];
    }

    static async ValueTask<ScsiResult> ReadAsync(ScsiCommand command, Memory<byte> destination)
    {
        try
        {
            await command.Unit.Driver.ReadAsync(command.Lba << command.Unit.BlockShift, destination).ConfigureAwait(false);
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return ScsiResult.Check(DeviceErrors.ToSense(e, writing: false));
        }
    }

    static ValueTask WriteAsync(ScsiCommand command, ReadOnlyMemory<byte> blocks) =>
        command.Unit.Driver.WriteAsync(command.Lba << command.Unit.BlockShift, blocks, WriteCommands.Options(command));
}
