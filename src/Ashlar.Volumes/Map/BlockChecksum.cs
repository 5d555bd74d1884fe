using System.Buffers.Binary;
using System.IO.Hashing;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Checksum of a 4 KiB block with its place and birth folded in, so that a block written to the wrong place, or one that belongs to an
/// earlier owner of the place, does not pass.
/// </summary>
/// <remarks>
/// Of the content it is XXH3, not a CRC: what ends with its own CRC has the same CRC as all that does, so that an older content of a place
/// would pass for the newer; and databases and file systems write such blocks (ext4's directories).
/// </remarks>
static class BlockChecksum
{
    /// <param name="block">The content.</param>
    /// <param name="place">Where it lies, in blocks of the device.</param>
    /// <param name="birth">Generation in which the place was taken.</param>
    public static uint Compute(ReadOnlySpan<byte> block, long place, long birth) =>
        (uint)XxHash3.HashToUInt64(block) ^ Identity(place, birth);

    /// <summary>
    /// What a checksum becomes when its block is copied to another place, whatever the block holds. Content that did not match does not
    /// match there either.
    /// </summary>
    public static uint Move(uint checksum, long from, long to, long birth) => checksum ^ Identity(from, birth) ^ Identity(to, birth);

    static uint Identity(long place, long birth)
    {
        Span<byte> identity = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(identity, place);
        BinaryPrimitives.WriteInt64LittleEndian(identity[8..], birth);
        return Crc32C.Compute(identity);
    }
}
