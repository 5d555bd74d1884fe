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

    // A range is looked at in steps whose map takes a moment, until the reply has taken so long: the rest is asked for again.
    const long StatusStepBytes = 1L << 30;

    // What has changed is looked up leaf by leaf, each of which may have to be read.
    const long ChangesStepBytes = 32L << 20;

    const long LongestStatusMilliseconds = 100;

    readonly BlockExtent[] extents = new BlockExtent[MaxExtents];
    BlockDescriptor[]? descriptors;
    BlockChange[]? changes;

    void BlockStatus(RequestHeader request)
    {
        try
        {
            var isFiltered = request.Flags.Has(CommandFlags.PayloadLength);
            var asked = session.Contexts;
            if (isFiltered && ReceiveFilter(ref request, out asked) is not NbdError.None and var error)
            {
                AddError(request, error);
                return;
            }
            // All contexts share the time, so that the first does not leave the others none.
            var begun = connection.NowMilliseconds;
            for (var i = 0; i < asked.Count; i++)
            {
                var until = begun + (LongestStatusMilliseconds * (i + 1) / asked.Count);
                AddStatus(request, asked[i], until, isLast: i == asked.Count - 1);
            }
        }
        catch (Exception e) when (e is not ConnectionException)
        {
            AddFailure(request, e);
        }
    }

    /// <summary>Takes in which contexts are asked for, and for what range.</summary>
    NbdError ReceiveFilter(ref RequestHeader request, out IReadOnlyList<NegotiatedContext> asked)
    {
        Span<byte> payload = stackalloc byte[StatusFilter.PrefixBytes + (MetaContexts.MaxSelected * StatusFilter.IdBytes)];
        payload = payload[..(int)request.LengthBytes]; // As the rules have checked.
        connection.Receive(payload);
        var found = new List<NegotiatedContext>();
        asked = found;
        var count = (payload.Length - StatusFilter.PrefixBytes) / StatusFilter.IdBytes;
        for (var i = 0; i < count; i++)
        {
            var id = StatusFilter.ReadId(payload, i);
            if (session.Contexts.FirstOrDefault(context => context.Id == id) is not { } context || found.Contains(context))
                return NbdError.Invalid;
            found.Add(context);
        }
        request = request with
        {
            LengthBytes = StatusFilter.ReadLength(payload),
            Flags = request.Flags & ~CommandFlags.PayloadLength,
        };
        return RequestRules.Check(request, session, volume.SizeBytes, isReadOnly);
    }

    void AddStatus(in RequestHeader request, NegotiatedContext context, long until, bool isLast)
    {
        descriptors ??= new BlockDescriptor[MaxExtents];
        var limit = request.Flags.Has(CommandFlags.RequestOne) ? 1 : MaxExtents;
        var runs = new StatusRuns(descriptors.AsSpan(0, limit));
        DescribeRange(context, (long)request.OffsetBytes, (long)request.LengthBytes, until, ref runs);
        Storage.Invariant.Require(runs.Count > 0);

        var isWide = session.Style == HeaderStyle.Extended;
        var prefixBytes = isWide ? BlockDescriptor.WidePrefixBytes : BlockDescriptor.PrefixBytes;
        var descriptorBytes = isWide ? BlockDescriptor.WideSizeBytes : BlockDescriptor.SizeBytes;
        var payloadBytes = prefixBytes + (runs.Count * descriptorBytes);
        var room = batch.Reserve(ChunkHeaderBytes + payloadBytes).Span;
        WriteChunkHeader(
            room, request, isLast ? ChunkFlags.Done : ChunkFlags.None, isWide ? ChunkCode.BlockStatusWide : ChunkCode.BlockStatus,
            payloadBytes);
        var payload = room[ChunkHeaderBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(payload, context.Id);
        if (isWide) BinaryPrimitives.WriteUInt32BigEndian(payload[sizeof(uint)..], (uint)runs.Count);
        for (var i = 0; i < runs.Count; i++)
        {
            var target = payload[(prefixBytes + (i * descriptorBytes))..];
            if (isWide) descriptors[i].WriteWide(target);
            else descriptors[i].Write(target);
        }
        batch.Commit(ChunkHeaderBytes + payloadBytes);
    }

    void DescribeRange(NegotiatedContext context, long position, long length, long until, ref StatusRuns runs)
    {
        var end = position + length;
        var stepBytes = context.Changes is null ? StatusStepBytes : ChangesStepBytes;
        do
        {
            var step = Math.Min(end - position, stepBytes - (position % stepBytes));
            var covered = context.Changes is { } map
                ? DescribeChanges(map, position, step, ref runs)
                : DescribeAllocation(position, step, ref runs);
            if (covered is not { } bytes) return;
            position += bytes;
        }
        while (position < end && connection.NowMilliseconds < until);
    }

    // Both give what they have described, or null where the reply is full.
    long? DescribeAllocation(long position, long length, ref StatusRuns runs)
    {
        var found = Describe(position, length, MaxExtents);
        var cursor = new RunCursor(position, length, volume.Geometry.BlockSizeBytes);
        var covered = 0L;
        foreach (var extent in extents.AsSpan(0, found))
        {
            var bytes = cursor.Advance(extent.BlockCount);
            if (!runs.TryAdd(bytes, (uint)FlagsOf(extent.Kind))) return null;
            covered += bytes;
        }
        return covered;
    }

    long? DescribeChanges(IChangeMap map, long position, long length, ref StatusRuns runs)
    {
        changes ??= new BlockChange[MaxExtents];
        var (first, count) = BlocksOf(position, length);
        var pending = volume.DescribeChangesAsync(map, first, count, changes);
        var found = pending.IsCompleted ? pending.GetAwaiter().GetResult() : pending.AsTask().GetAwaiter().GetResult();
        var cursor = new RunCursor(position, length, volume.Geometry.BlockSizeBytes);
        var covered = 0L;
        foreach (var run in changes.AsSpan(0, found))
        {
            var bytes = cursor.Advance(run.BlockCount);
            if (!runs.TryAdd(bytes, (uint)(run.IsChanged ? DirtyFlags.Dirty : DirtyFlags.None))) return null;
            covered += bytes;
        }
        return covered;
    }

    /// <summary>Whether a range begins with a hole worth a chunk of its own, and how far that or the data before it reach.</summary>
    bool FindRun(long position, int length, out int runLength)
    {
        var found = Describe(position, length, MaxExtentsOfRead);
        var cursor = new RunCursor(position, length, volume.Geometry.BlockSizeBytes);
        runLength = 0;
        foreach (var extent in extents.AsSpan(0, found))
        {
            var extentLength = (int)cursor.Advance(extent.BlockCount);
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

    int Describe(long position, long length, int limit)
    {
        var (first, count) = BlocksOf(position, length);
        var pending = volume.DescribeExtentsAsync(first, count, extents.AsMemory(0, limit));
        return pending.IsCompleted ? pending.GetAwaiter().GetResult() : pending.AsTask().GetAwaiter().GetResult();
    }

    // Bytes are asked for, blocks are described: the first and the last may reach beyond the range.
    (Lba First, long Count) BlocksOf(long position, long length)
    {
        var blockSize = volume.Geometry.BlockSizeBytes;
        var first = position / blockSize;
        return (new(first), ((position + length - 1) / blockSize) - first + 1);
    }

    static AllocationFlags FlagsOf(BlockExtentKind kind) => kind switch
    {
        BlockExtentKind.Hole => AllocationFlags.Hole | AllocationFlags.Zero,
        BlockExtentKind.Zero => AllocationFlags.Zero,
        _ => AllocationFlags.None,
    };

    /// <summary>Turns runs of blocks, in order, into lengths within a range of bytes.</summary>
    ref struct RunCursor(long position, long length, int blockSizeBytes)
    {
        readonly long end = position + length;
        long block = position / blockSizeBytes;
        long reached = position;

        public long Advance(long blockCount)
        {
            block = checked(block + blockCount);
            var next = Math.Min(end, checked(block * blockSizeBytes));
            var advanced = next - reached;
            Storage.Invariant.Require(advanced >= 0); // Runs in order, or a client skips what holds data.
            reached = next;
            return advanced;
        }
    }
}
