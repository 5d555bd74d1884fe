using System.Buffers.Binary;

namespace Ashlar.Nvme;

/// <summary>The log of commands that are supported, and what they change (NVM Express Base 2.0, 5.16.1.6).</summary>
static class CommandEffects
{
    const int SizeBytes = 4096, IoAt = 256 * sizeof(uint);
    const uint Supported = 1, ChangesBlocks = 2;

    static readonly AdminOpcode[] Admin = Enum.GetValues<AdminOpcode>();

    static readonly (NvmOpcode Opcode, uint Effects)[] Io =
    [
        (NvmOpcode.Flush, Supported),
        (NvmOpcode.Write, Supported | ChangesBlocks),
        (NvmOpcode.Read, Supported),
        (NvmOpcode.Compare, Supported),
        (NvmOpcode.WriteZeroes, Supported | ChangesBlocks),
        (NvmOpcode.DatasetManagement, Supported | ChangesBlocks),
        (NvmOpcode.ReservationRegister, Supported),
        (NvmOpcode.ReservationReport, Supported),
        (NvmOpcode.ReservationAcquire, Supported),
        (NvmOpcode.ReservationRelease, Supported),
    ];

    public static byte[] Describe()
    {
        var log = new byte[SizeBytes];
        foreach (var opcode in Admin) Write(log, 0, (byte)opcode, Supported);
        foreach (var (opcode, effects) in Io) Write(log, IoAt, (byte)opcode, effects);
        return log;
    }

    static void Write(Span<byte> log, int at, byte opcode, uint effects) =>
        BinaryPrimitives.WriteUInt32LittleEndian(log[(at + (opcode * sizeof(uint)))..], effects);
}
