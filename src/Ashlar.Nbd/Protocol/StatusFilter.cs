using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of NBD_CMD_BLOCK_STATUS with the flag PayloadLength: how long the range is, and the metadata contexts that are asked for.
//   0             8           12
//   +-------------+-----------+-----------+--
//   | LengthBytes | ContextId | ContextId | ...
//   +-------------+-----------+-----------+--
static class StatusFilter
{
    public const int PrefixBytes = 8, IdBytes = 4;

    const int LengthOffset = 0;

    /// <summary>Whether a payload can be one that names each of so many contexts once at the most.</summary>
    public static bool IsLength(ulong payloadBytes, int contexts) =>
        payloadBytes > PrefixBytes && payloadBytes <= (ulong)(PrefixBytes + (contexts * IdBytes)) && payloadBytes % IdBytes == 0;

    public static ulong ReadLength(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt64BigEndian(payload[LengthOffset..]);

    public static uint ReadId(ReadOnlySpan<byte> payload, int index) =>
        BinaryPrimitives.ReadUInt32BigEndian(payload[(PrefixBytes + (index * IdBytes))..]);
}
