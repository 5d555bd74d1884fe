using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>Reads a command's fields and checks them. Returns what is wrong, or null.</summary>
delegate Sense? CommandDecoder(ScsiCommand command);

/// <summary>Does what a decoded command asks for.</summary>
delegate ValueTask<ScsiResult> CommandHandler(ScsiCommand command, ReadOnlyMemory<byte> dataOut);

/// <summary>A command that the unit knows. The same list drives dispatch and REPORT SUPPORTED OPERATION CODES.</summary>
/// <param name="Name">As the standard writes it.</param>
/// <param name="UsageMask">
/// One byte per CDB byte: bits that are evaluated are set (SPC-4, 6.35.3). The first byte is the operation code; its length
/// is the CDB's.
/// </param>
/// <param name="Decode">Reads and checks the fields.</param>
/// <param name="Execute">Does it; null for commands that only read the medium.</param>
sealed record CommandDescription(string Name, byte[] UsageMask, CommandDecoder Decode, CommandHandler? Execute)
{
    public byte OperationCode => UsageMask[0];

    /// <summary>-1 where the operation code has no service actions.</summary>
    public int ServiceAction { get; init; } = -1;

    public DataDirection Direction { get; init; }

    public bool ReadsMedium => Execute is null;

    /// <summary>Answered under reservations, unit attentions and without a unit.</summary>
    public bool AlwaysAnswered { get; init; }

    public bool AllowedUnderReservation { get; init; }

    /// <summary>The last state in which a path to the unit carries it (SPC-4, 5.15.2.4).</summary>
    public PathState ReachesTo { get; init; } = PathState.NonOptimized;

    /// <summary>
    /// Whether an initiator that announces more data than the command takes is refused: it means something else than it says.
    /// </summary>
    public bool TakesExactData { get; init; }

    /// <summary>What it counts as under persistent reservations; what moves blocks is looked at where it does.</summary>
    public MediumAccess CountsAs { get; init; }

    /// <summary>Whether a unit has it; null where all have.</summary>
    public Func<LogicalUnit, bool>? IsOfferedBy { get; init; }

    /// <summary>May wait for the medium by nature.</summary>
    public bool MayWait { get; init; }
}
