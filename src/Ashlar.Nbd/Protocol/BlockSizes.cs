using System.Buffers.Binary;

namespace Ashlar.Nbd.Protocol;

// Payload of NBD_INFO_BLOCK_SIZE after its code.
//   0              4                8                12
//   +--------------+----------------+----------------+
//   | MinimumBytes | PreferredBytes | MaximumBytes   |
//   +--------------+----------------+----------------+
readonly record struct BlockSizes(uint MinimumBytes, uint PreferredBytes, uint MaximumBytes)
{
    public const int SizeBytes = 12;
    const int MinimumOffset = 0, PreferredOffset = 4, MaximumOffset = 8;

    public static BlockSizes Offered { get; } =
        new(NbdProtocol.MinimumBlockBytes, NbdProtocol.PreferredBlockBytes, NbdProtocol.MaximumPayloadBytes);

    public static BlockSizes Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32BigEndian(source[MinimumOffset..]),
        BinaryPrimitives.ReadUInt32BigEndian(source[PreferredOffset..]),
        BinaryPrimitives.ReadUInt32BigEndian(source[MaximumOffset..]));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target[MinimumOffset..], MinimumBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[PreferredOffset..], PreferredBytes);
        BinaryPrimitives.WriteUInt32BigEndian(target[MaximumOffset..], MaximumBytes);
    }
}
