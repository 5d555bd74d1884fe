using System.Buffers;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>VERIFY and WRITE AND VERIFY 10/12/16 (SBC-3, 5.28 to 5.30, 5.36 to 5.38).</summary>
static class VerifyCommands
{
    const int ByteCheckShift = 1, ByteCheckMask = 3;
    const int MediumOnly = 0, CompareAll = 1, CompareWithOneBlock = 3;
    const int ChunkBytes = 256 * 1024;

    public static readonly CommandDescription[] Descriptions =
    [
        Verify("VERIFY(10)", [0x2F, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00]),
        Verify("VERIFY(12)", [0xAF, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
        Verify("VERIFY(16)", [0x8F, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
        WriteAndVerify("WRITE AND VERIFY(10)", [0x2E, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00]),
        WriteAndVerify("WRITE AND VERIFY(12)", [0xAE, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
        WriteAndVerify("WRITE AND VERIFY(16)",
            [0x8E, 0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
    ];

    static CommandDescription Verify(string name, byte[] usageMask) =>
        new(name, usageMask, DecodeVerify, VerifyBlocks) { Direction = DataDirection.Out, MayWait = true };

    static CommandDescription WriteAndVerify(string name, byte[] usageMask) =>
        new(name, usageMask, DecodeWriteAndVerify, WriteAndVerifyBlocks) { Direction = DataDirection.Out, MayWait = true };

    static int ByteCheck(ScsiCommand command) => (command.Cdb[1] >> ByteCheckShift) & ByteCheckMask;

    static Sense? DecodeVerify(ScsiCommand command)
    {
        if (BlockFields.CheckProtection(command) is { } protection) return protection;
        if (BlockFields.DecodeRange(command) is { } outside) return outside;
        if (BlockFields.CheckLength(command) is { } tooLong) return tooLong;
        return ByteCheck(command) switch
        {
            MediumOnly => null,
            CompareAll => BlockFields.SetDataBytes(command, command.BlockCount),
            CompareWithOneBlock => BlockFields.SetDataBytes(command, Math.Min(1, command.BlockCount)),
            _ => Sense.InvalidFieldInCdb(1),
        };
    }

    static Sense? DecodeWriteAndVerify(ScsiCommand command)
    {
        if (WriteCommands.CheckWritable(command) is { } readOnly) return readOnly;
        if (BlockFields.CheckProtection(command) is { } protection) return protection;
        if (ByteCheck(command) > CompareAll) return Sense.InvalidFieldInCdb(1);
        if (BlockFields.DecodeRange(command) is { } outside) return outside;
        return BlockFields.CheckLength(command) ?? BlockFields.SetDataBytes(command, command.BlockCount);
    }

    static ValueTask<ScsiResult> VerifyBlocks(ScsiCommand command, ReadOnlyMemory<byte> dataOut) => ByteCheck(command) switch
    {
        CompareAll => CompareAsync(command, command.Session.ReadAsync, dataOut, dataOut.Length),
        CompareWithOneBlock when dataOut.Length < command.DataBytes =>
            new(ScsiResult.Check(Sense.ParameterListLengthError)),
        CompareWithOneBlock =>
            CompareAsync(command, command.Session.ReadAsync, dataOut, command.BlockCount << command.Unit.BlockShift),
        _ => CompareAsync(command, command.Session.ReadAsync, default, command.BlockCount << command.Unit.BlockShift),
    };

    static async ValueTask<ScsiResult> WriteAndVerifyBlocks(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        if (command.BlockCount == 0) return ScsiResult.Good;
        var unit = command.Unit;
        var blocks = WriteCommands.WholeBlocks(command, dataOut);
        try
        {
            // Nobody else may write between our write and our look at it, or the comparison would lie.
            using var held = await command.Session.HoldAsync(
                command.Lba << unit.BlockShift, command.BlockCount << unit.BlockShift, command.Aborted);
            await held.WriteAsync(command.Lba << unit.BlockShift, blocks, WriteOptions.ForceUnitAccess);
            // Through what is held: whoever asks the session anew would wait for those who wait for this command to end.
            return await CompareAsync(command, held.ReadAsync, blocks, blocks.Length);
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }

    /// <summary>
    /// Reads the command's blocks and compares them with data, which repeats where it is shorter; with no data, reading
    /// without an error is all.
    /// </summary>
    static async ValueTask<ScsiResult> CompareAsync(
        ScsiCommand command, Func<long, Memory<byte>, CancellationToken, ValueTask> read, ReadOnlyMemory<byte> data, long lengthBytes)
    {
        var unit = command.Unit;
        // With data that repeats, a chunk is one repetition.
        var chunkBytes = data.Length < lengthBytes && data.Length > 0 ? data.Length : (int)Math.Min(ChunkBytes, lengthBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, chunkBytes));
        try
        {
            for (long done = 0; done < lengthBytes; done += chunkBytes)
            {
                var chunk = buffer.AsMemory(0, (int)Math.Min(chunkBytes, lengthBytes - done));
                await read((command.Lba << unit.BlockShift) + done, chunk, command.Aborted);
                if (data.IsEmpty) continue;
                var expected = data.Span.Slice((int)(done % data.Length), chunk.Length);
                var equal = expected.CommonPrefixLength(chunk.Span);
                if (equal < chunk.Length) return Miscompare(done + equal);
            }
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>0E/1D/00 with the offset of the first byte that differs (SBC-3, 5.2.1).</summary>
    public static ScsiResult Miscompare(long offsetBytes) =>
        ScsiResult.Check(new(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, (ulong)offsetBytes));
}
