using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// CRC32C of a 4 KiB block with its place and birth folded in, so that a block written to the wrong place, or one that
/// belongs to an earlier owner of the place, does not pass.
/// </summary>
static class BlockChecksum
{
    static readonly byte[] Zeros = new byte[MapLayout.BlockBytes];

    /// <param name="block">The content.</param>
    /// <param name="place">Where it lies, in blocks of the device.</param>
    /// <param name="birth">Generation in which the place was taken.</param>
    public static uint Compute(ReadOnlySpan<byte> block, long place, long birth)
    {
        Span<byte> identity = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(identity, place);
        BinaryPrimitives.WriteInt64LittleEndian(identity[8..], birth);
        return Crc32C.Append(Crc32C.Compute(identity), block);
    }

    /// <summary>
    /// What a checksum becomes when its block is copied to another place, whatever the block holds: a CRC is linear, so what the places
    /// differ by is what the checksums differ by. Content that did not match does not match there either.
    /// </summary>
    public static uint Move(uint checksum, long from, long to, long birth) =>
        checksum ^ Compute(Zeros, from, birth) ^ Compute(Zeros, to, birth);
}
