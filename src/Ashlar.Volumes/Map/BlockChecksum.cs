using System.Buffers.Binary;
using System.IO.Hashing;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Checksum of a 4 KiB block with its place and birth folded in, so that a block written to the wrong place, or one that belongs to an
/// earlier owner of the place, does not pass. A pool has one kind for all its life.
/// </summary>
abstract class BlockChecksum
{
    /// <summary>
    /// XXH3. Not a CRC: what ends with its own CRC has the same CRC as all that does, so that an older content of a place would pass for
    /// the newer; and databases and file systems write such blocks (ext4's directories).
    /// </summary>
    public static BlockChecksum Xxh3 { get; } = new OfXxh3();

    /// <summary>CRC32C, of pools that earlier programs made.</summary>
    public static BlockChecksum Crc32C { get; } = new OfCrc32C();

    /// <param name="block">The content.</param>
    /// <param name="place">Where it lies, in blocks of the device.</param>
    /// <param name="birth">Generation in which the place was taken.</param>
    public abstract uint Compute(ReadOnlySpan<byte> block, long place, long birth);

    /// <summary>
    /// What a checksum becomes when its block is copied to another place, whatever the block holds. Content that did not match does not
    /// match there either.
    /// </summary>
    public abstract uint Move(uint checksum, long from, long to, long birth);

    static uint OfIdentity(long place, long birth)
    {
        Span<byte> identity = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(identity, place);
        BinaryPrimitives.WriteInt64LittleEndian(identity[8..], birth);
        return Storage.Crc32C.Compute(identity);
    }

    sealed class OfXxh3 : BlockChecksum
    {
        public override uint Compute(ReadOnlySpan<byte> block, long place, long birth) =>
            (uint)XxHash3.HashToUInt64(block) ^ OfIdentity(place, birth);

        public override uint Move(uint checksum, long from, long to, long birth) =>
            checksum ^ OfIdentity(from, birth) ^ OfIdentity(to, birth);
    }

    sealed class OfCrc32C : BlockChecksum
    {
        static readonly byte[] Zeros = new byte[MapLayout.BlockBytes];

        public override uint Compute(ReadOnlySpan<byte> block, long place, long birth) =>
            Storage.Crc32C.Append(OfIdentity(place, birth), block);

        // It is linear: what the places differ by is what the checksums differ by.
        public override uint Move(uint checksum, long from, long to, long birth) =>
            checksum ^ Compute(Zeros, from, birth) ^ Compute(Zeros, to, birth);
    }
}
