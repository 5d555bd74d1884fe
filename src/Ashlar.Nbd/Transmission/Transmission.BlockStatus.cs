using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Nbd.Negotiation;
using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

sealed partial class Transmission
{
    // A reply may describe less than was asked for, so a fixed number of extents is enough however large the range is.
    const int MaxExtents = 512;

    // A read looks for holes; where more runs than these are in its way, what is left counts as data.
    const int MaxExtentsOfRead = 64;

    readonly BlockExtent[] extents = new BlockExtent[MaxExtents];

    void BlockStatus(in RequestHeader request)
    {
        try
        {
            var limit = request.Flags.Has(CommandFlags.RequestOne) ? 1 : MaxExtents;
            var position = (long)request.OffsetBytes;
            var found = Describe(position, request.LengthBytes, MaxExtents);

            var room = batch.Reserve(ChunkHeader.SizeBytes + BlockDescriptor.ContextIdBytes + (found * BlockDescriptor.SizeBytes)).Span;
            var descriptors = room[(ChunkHeader.SizeBytes + BlockDescriptor.ContextIdBytes)..];
            var count = 0;
            var last = default(BlockDescriptor);
            var cursor = new ExtentCursor(position, request.LengthBytes, volume.Geometry.BlockSizeBytes);
            foreach (var extent in extents.AsSpan(0, found))
            {
                var lengthBytes = (uint)cursor.Advance(extent);
                if (lengthBytes == 0) continue;
                var flags = FlagsOf(extent.Kind);
                if (count > 0 && last.Flags == flags)
                {
                    last = last with { LengthBytes = last.LengthBytes + lengthBytes };
                }
                else
                {
                    if (count == limit) break;
                    last = new(lengthBytes, flags);
                    count++;
                }
                last.Write(descriptors[((count - 1) * BlockDescriptor.SizeBytes)..]);
            }
            Storage.Invariant.Require(count > 0);

            var payloadBytes = BlockDescriptor.ContextIdBytes + (count * BlockDescriptor.SizeBytes);
            new ChunkHeader(ChunkFlags.Done, ChunkCode.BlockStatus, request.Cookie, (uint)payloadBytes).Write(room);
            BinaryPrimitives.WriteUInt32BigEndian(room[ChunkHeader.SizeBytes..], NegotiatedSession.BaseAllocationId);
            batch.Commit(ChunkHeader.SizeBytes + payloadBytes);
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            AddFailure(request, e);
        }
    }

    /// <summary>Whether a range begins with a hole worth a chunk of its own, and how far that or the data before it reach.</summary>
    bool FindRun(long position, int length, out int runLength)
    {
        var found = Describe(position, length, MaxExtentsOfRead);
        var cursor = new ExtentCursor(position, length, volume.Geometry.BlockSizeBytes);
        runLength = 0;
        foreach (var extent in extents.AsSpan(0, found))
        {
            var extentLength = (int)cursor.Advance(extent);
            if (extent.Kind != BlockExtentKind.Data && extentLength >= Math.Min(HoleBytes, length))
            {
                if (runLength > 0) return false;
                runLength = extentLength;
                return true;
            }
            runLength += extentLength;
        }
        runLength = length; // Where the extents did not fit, the rest counts as data.
        return false;
    }

    // Bytes are asked for, blocks are described: the first and the last may reach beyond the range.
    int Describe(long position, long length, int limit)
    {
        var blockSize = volume.Geometry.BlockSizeBytes;
        var first = position / blockSize;
        var last = (position + length - 1) / blockSize;
        var pending = volume.DescribeExtentsAsync(new Lba(first), last - first + 1, extents.AsMemory(0, limit));
        return pending.IsCompleted ? pending.GetAwaiter().GetResult() : pending.AsTask().GetAwaiter().GetResult();
    }

    static AllocationFlags FlagsOf(BlockExtentKind kind) => kind switch
    {
        BlockExtentKind.Hole => AllocationFlags.Hole | AllocationFlags.Zero,
        BlockExtentKind.Zero => AllocationFlags.Zero,
        _ => AllocationFlags.None,
    };

    /// <summary>Turns extents of blocks, in order, into lengths within a range of bytes.</summary>
    ref struct ExtentCursor(long position, long length, int blockSizeBytes)
    {
        readonly long end = position + length;
        long block = position / blockSizeBytes;
        long reached = position;

        public long Advance(BlockExtent extent)
        {
            block = checked(block + extent.BlockCount);
            var next = Math.Min(end, checked(block * blockSizeBytes));
            var advanced = next - reached;
            Storage.Invariant.Require(advanced >= 0); // Extents in order, or a client skips what holds data.
            reached = next;
            return advanced;
        }
    }
}
