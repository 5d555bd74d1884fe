namespace Ashlar.Iscsi;

/// <summary>
/// The three numbers in every PDU of the target, at the same place (RFC 7143, 11.4.9 to 11.4.11).
/// </summary>
/// <param name="StatSN">Number of this status, or of the next one where the PDU carries none.</param>
/// <param name="ExpCmdSN">The next command that is expected.</param>
/// <param name="MaxCmdSN">The last command that may be sent.</param>
readonly record struct TargetNumbers(uint StatSN, uint ExpCmdSN, uint MaxCmdSN)
{
    const int StatSNOffset = 24, ExpCmdSNOffset = 28, MaxCmdSNOffset = 32;

    public static TargetNumbers Read(ReadOnlySpan<byte> header) => new(
        BasicHeaderSegment.UInt32(header, StatSNOffset),
        BasicHeaderSegment.UInt32(header, ExpCmdSNOffset),
        BasicHeaderSegment.UInt32(header, MaxCmdSNOffset));

    public void Write(Span<byte> header)
    {
        BasicHeaderSegment.SetUInt32(header, StatSNOffset, StatSN);
        BasicHeaderSegment.SetUInt32(header, ExpCmdSNOffset, ExpCmdSN);
        BasicHeaderSegment.SetUInt32(header, MaxCmdSNOffset, MaxCmdSN);
    }
}
