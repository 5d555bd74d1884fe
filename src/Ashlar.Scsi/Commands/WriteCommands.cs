using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>WRITE 6/10/12/16 and SYNCHRONIZE CACHE 10/16 (SBC-3, 5.31 to 5.35, 5.26 and 5.27).</summary>
static class WriteCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        Write("WRITE(6)", [0x0A, 0x1F, 0xFF, 0xFF, 0xFF, 0x00]),
        Write("WRITE(10)", [0x2A, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00]),
        Write("WRITE(12)", [0xAA, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
        Write("WRITE(16)", [0x8A, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00]),
        new("SYNCHRONIZE CACHE(10)", [0x35, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0x00], BlockFields.DecodeRange, Flush)
        { MayWait = true },
        new("SYNCHRONIZE CACHE(16)",
            [0x91, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            BlockFields.DecodeRange, Flush)
        { MayWait = true },
    ];

    /// <summary>Decodes a command that writes all its blocks.</summary>
    public static Sense? Decode(ScsiCommand command) => CheckWritable(command) ?? BlockFields.DecodeTransfer(command);

    public static Sense? CheckWritable(ScsiCommand command)
    {
        if (command.Session.IsReadOnly) return new(SenseKey.DataProtect, AdditionalSense.WriteProtected);
        if (command.Unit.Mode.SoftwareWriteProtect) return new(SenseKey.DataProtect, AdditionalSense.SoftwareWriteProtected);
        return null;
    }

    public static WriteOptions Options(ScsiCommand command) =>
        command.ForceUnitAccess ? WriteOptions.ForceUnitAccess : WriteOptions.None;

    /// <summary>The whole blocks that the initiator really sent.</summary>
    public static ReadOnlyMemory<byte> WholeBlocks(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        dataOut[..(dataOut.Length >> command.Unit.BlockShift << command.Unit.BlockShift)];

    static CommandDescription Write(string name, byte[] usageMask) =>
        new(name, usageMask, Decode, WriteBlocks) { Direction = DataDirection.Out };

    // The common case, a device that takes the write at once, costs no state machine.
    static ValueTask<ScsiResult> WriteBlocks(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        if (command.BlockCount == 0) return new(ScsiResult.Good);
        var blocks = WholeBlocks(command, dataOut);
        var pending = command.Session.WriteAsync(command.Lba << command.Unit.BlockShift, blocks, Options(command), command.Aborted);
        return pending.IsCompletedSuccessfully ? new(ScsiResult.Good) : FinishAsync(pending);
    }

    static async ValueTask<ScsiResult> FinishAsync(ValueTask writing)
    {
        try
        {
            await writing;
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }

    // The whole device is flushed, whatever the range: that is what the device promises, and more never hurts. IMMED asks
    // for an answer before the flush is done; answering after it promises more.
    public static async ValueTask<ScsiResult> Flush(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        try
        {
            await command.Session.FlushAsync();
            return ScsiResult.Good;
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return DeviceErrors.ToResult(e, writing: true);
        }
    }
}
