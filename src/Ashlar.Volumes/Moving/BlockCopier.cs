using System.Numerics;
using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// Copies blocks to their new places and compares them with their checksums in passing. What is damaged stays so: it is copied as it is,
/// and its checksum, which follows from the old one, does not match there either. Nothing is ever taken as it is found.
/// </summary>
sealed class BlockCopier(PoolParts parts)
{
    readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(MapLayout.ChunkBytes, pinned: true);

    /// <summary>Blocks that were damaged.</summary>
    public long DamagedBlocks { get; private set; }

    /// <summary>Copies what the moved places of a leaf hold. Memory has the newest checksums: the store may have older ones.</summary>
    /// <exception cref="BlockDeviceException">A device is ill; nothing has changed.</exception>
    public long Copy(LeafFamily family)
    {
        long bytes = 0;
        LeafMap[] all =
        [
            .. family.Locked.Where(static leaf => leaf.Map is not null).Select(static leaf => leaf.Map!),
            .. family.Versions.Select(static version => version.Map),
        ];
        var checksums = new uint[MapLayout.BlocksPerChunk];
        foreach (var home in family.Moved.Homes)
        {
            ushort blocks = 0;
            foreach (var map in all)
            {
                ref readonly var entry = ref map.Entries[home.Slot];
                if (entry.Chunk != home.From) continue;
                for (var bits = (uint)(entry.AtHome & ~blocks); bits != 0; bits &= bits - 1)
                {
                    var inChunk = BitOperations.TrailingZeroCount(bits);
                    checksums[inChunk] = map.Checksums[(home.Slot * MapLayout.BlocksPerChunk) + inChunk];
                }

                blocks |= entry.AtHome;
            }

            for (var first = 0; first < MapLayout.BlocksPerChunk;)
            {
                var end = first + 1;
                if ((blocks >> first & 1) != 0)
                {
                    while (end < MapLayout.BlocksPerChunk && (blocks >> end & 1) != 0) end++;
                    Copy(
                        (home.From * MapLayout.BlocksPerChunk) + first,
                        (home.To * MapLayout.BlocksPerChunk) + first,
                        home.Birth,
                        checksums.AsSpan(first, end - first));
                    bytes += (end - first) * MapLayout.BlockBytes;
                }

                first = end;
            }
        }

        foreach (var block in family.Moved.Blocks)
        {
            var map = Array.Find(all, each => each.IsRedirected(block.Block) && each.Redirected!.PlaceOf(block.Block) == block.From)!;
            Copy(block.From, block.To, block.Birth, map.Checksums.AsSpan(block.Block, 1));
            bytes += MapLayout.BlockBytes;
        }

        return bytes;
    }

    void Copy(long from, long to, long birth, ReadOnlySpan<uint> checksums)
    {
        var data = buffer.AsMemory(0, checksums.Length * MapLayout.BlockBytes);
        var isRead = TryRead(from, data);
        for (var i = 0; i < checksums.Length; i++)
        {
            var block = data.Slice(i * MapLayout.BlockBytes, MapLayout.BlockBytes);
            // One sector that cannot be read costs its block and no other.
            var isFound = isRead || TryRead(from + i, block);
            if (isFound && parts.Checksum.Compute(block.Span, from + i, birth) == checksums[i]) continue;
            if (TryReadCopies(from + i, birth, checksums[i], block)) continue;
            // What is there, not what a copy had. A sector that cannot be read takes long to say so, and is asked once.
            if (isFound && parts.Device is IRedundantDevice) isFound = TryRead(from + i, block);
            if (isFound && parts.Checksum.Compute(block.Span, from + i, birth) == checksums[i]) continue;
            DamagedBlocks++;
            if (!isFound) LeaveDamaged(block.Span, from + i, birth, checksums[i]);
        }

        try
        {
            Blocking.Wait(parts.Device.WriteAsync(LbaOf(to), data));
        }
        finally
        {
            parts.Committer.DeviceWritten();
        }
    }

    // What cannot be read must not become something that can: content that does not match.
    void LeaveDamaged(Span<byte> block, long from, long birth, uint checksum)
    {
        block.Clear();
        if (parts.Checksum.Compute(block, from, birth) == checksum) block[0] = 1;
    }

    bool TryRead(long place, Memory<byte> data)
    {
        try
        {
            Blocking.Wait(parts.Device.ReadAsync(LbaOf(place), data));
            return true;
        }
        catch (BlockDeviceException ill) when (!ill.IsTransient)
        {
            return false;
        }
    }

    bool TryReadCopies(long place, long birth, uint checksum, Memory<byte> block)
    {
        if (parts.Device is not IRedundantDevice device) return false;
        for (var way = 0; way < device.CopyCount; way++)
        {
            try
            {
                if (Blocking.Wait(device.ReadCopyAsync(LbaOf(place), block, way))
                    && parts.Checksum.Compute(block.Span, place, birth) == checksum) return true;
            }
            catch (BlockDeviceException)
            {
                // The one way fails, not the others.
            }
        }

        return false;
    }

    Lba LbaOf(long place) => new(place * MapLayout.BlockBytes / parts.Device.Geometry.BlockSizeBytes);
}
