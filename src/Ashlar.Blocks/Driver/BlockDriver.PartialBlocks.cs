using System.Buffers;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

// Ranges that begin or end within a block. Each is cut in at most three pieces: a part of the first block, whole
// blocks, a part of the last block. Parts go through a buffer of one block.
public sealed partial class BlockDriver
{
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReadPartialAsync(
        long offsetBytes,
        Memory<byte> destination,
        long startedAt,
        CancellationToken cancellationToken)
    {
        var pieces = new Pieces(offsetBytes, destination.Length, blockMask);
        var scratch = ArrayPool<byte>.Shared.Rent(blockSizeBytes);
        try
        {
            var block = scratch.AsMemory(0, blockSizeBytes);
            if (pieces.HeadBytes > 0)
            {
                await RunAsync(DriverRequest.Read(BlockAt(offsetBytes), block), startedAt, cancellationToken).ConfigureAwait(false);
                block.Slice(pieces.OffsetInBlock, pieces.HeadBytes).CopyTo(destination);
            }
            if (pieces.MiddleBytes > 0)
            {
                var middle = destination.Slice(pieces.HeadBytes, (int)pieces.MiddleBytes);
                await RunAsync(DriverRequest.Read(BlockAt(pieces.MiddleStart), middle), startedAt, cancellationToken).ConfigureAwait(false);
            }
            if (pieces.TailBytes > 0)
            {
                await RunAsync(DriverRequest.Read(BlockAt(pieces.TailStart), block), startedAt, cancellationToken).ConfigureAwait(false);
                block[..pieces.TailBytes].CopyTo(destination[^pieces.TailBytes..]);
            }
            Completed(DriverOperation.Read, offsetBytes, destination.Length, startedAt);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WritePartialAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> source,
        WriteOptions options,
        long startedAt,
        CancellationToken cancellationToken)
    {
        var pieces = new Pieces(offsetBytes, source.Length, blockMask);
        // One flush at the end is cheaper than making each of several pieces durable.
        var flushAtEnd = pieces.Count > 1 && (options & WriteOptions.ForceUnitAccess) != WriteOptions.None;
        var pieceOptions = flushAtEnd ? options & ~WriteOptions.ForceUnitAccess : options;

        var range = WholeBlocks(offsetBytes, source.Length);
        await changes.EnterAsync(range, cancellationToken).ConfigureAwait(false);
        try
        {
            if (pieces.HeadBytes > 0)
            {
                var head = source[..pieces.HeadBytes];
                var block = BlockAt(offsetBytes);
                await ChangePartAsync(
                    block, pieces.OffsetInBlock, head.Length, head, pieceOptions, startedAt, cancellationToken).ConfigureAwait(false);
            }
            if (pieces.MiddleBytes > 0)
            {
                var middle = source.Slice(pieces.HeadBytes, (int)pieces.MiddleBytes);
                var request = DriverRequest.Write(BlockAt(pieces.MiddleStart), middle, pieceOptions);
                await RunAsync(request, startedAt, cancellationToken).ConfigureAwait(false);
            }
            if (pieces.TailBytes > 0)
            {
                var tail = source[^pieces.TailBytes..];
                await ChangePartAsync(
                    BlockAt(pieces.TailStart), 0, tail.Length, tail, pieceOptions, startedAt, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            changes.Exit(range);
        }
        if (flushAtEnd) await RunAsync(DriverRequest.Flush(), startedAt, cancellationToken).ConfigureAwait(false);
        Completed(DriverOperation.Write, offsetBytes, source.Length, startedAt);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteZeroesPartialAsync(
        long offsetBytes,
        long lengthBytes,
        ZeroOptions options,
        long startedAt,
        CancellationToken cancellationToken)
    {
        var pieces = new Pieces(offsetBytes, lengthBytes, blockMask);
        var forceUnitAccess = (options & ZeroOptions.ForceUnitAccess) != ZeroOptions.None;
        var flushAtEnd = pieces.Count > 1 && forceUnitAccess;
        var middleOptions = flushAtEnd ? options & ~ZeroOptions.ForceUnitAccess : options;
        var partOptions = forceUnitAccess && !flushAtEnd ? WriteOptions.ForceUnitAccess : WriteOptions.None;

        var range = WholeBlocks(offsetBytes, lengthBytes);
        await changes.EnterAsync(range, cancellationToken).ConfigureAwait(false);
        try
        {
            // The middle first: it alone can be refused (FastOnly), and then nothing has changed.
            if (pieces.MiddleBytes > 0)
            {
                var middle = DriverRequest.WriteZeroes(
                    BlockAt(pieces.MiddleStart), pieces.MiddleBytes >> blockShift, middleOptions);
                await RunAsync(middle, startedAt, cancellationToken).ConfigureAwait(false);
            }
            if (pieces.HeadBytes > 0)
            {
                var block = BlockAt(offsetBytes);
                await ChangePartAsync(
                    block, pieces.OffsetInBlock, pieces.HeadBytes, default, partOptions, startedAt, cancellationToken)
                    .ConfigureAwait(false);
            }
            if (pieces.TailBytes > 0)
            {
                await ChangePartAsync(
                    BlockAt(pieces.TailStart), 0, pieces.TailBytes, default, partOptions, startedAt, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        finally
        {
            changes.Exit(range);
        }
        if (flushAtEnd) await RunAsync(DriverRequest.Flush(), startedAt, cancellationToken).ConfigureAwait(false);
        Completed(DriverOperation.WriteZeroes, offsetBytes, lengthBytes, startedAt);
    }

    /// <summary>Reads a block, changes a part of it, writes it back. The caller holds the block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offsetInBlock">Where the part starts.</param>
    /// <param name="lengthBytes">Its length.</param>
    /// <param name="content">Its new content; empty for zeros.</param>
    /// <param name="options">Durability.</param>
    /// <param name="startedAt">When the request came.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ChangePartAsync(
        Lba block,
        int offsetInBlock,
        int lengthBytes,
        ReadOnlyMemory<byte> content,
        WriteOptions options,
        long startedAt,
        CancellationToken cancellationToken)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(blockSizeBytes);
        try
        {
            var whole = scratch.AsMemory(0, blockSizeBytes);
            await RunAsync(DriverRequest.Read(block, whole), startedAt, cancellationToken).ConfigureAwait(false);
            if (content.IsEmpty) whole.Span.Slice(offsetInBlock, lengthBytes).Clear();
            else content.Span.CopyTo(whole.Span[offsetInBlock..]);
            await RunAsync(DriverRequest.Write(block, whole, options), startedAt, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    ValueTask RunAsync(in DriverRequest request, long startedAt, CancellationToken cancellationToken)
    {
        var pending = request.Issue(Device, cancellationToken);
        if (!pending.IsCompletedSuccessfully) return AttemptAsync(pending, request, startedAt, cancellationToken);
        pending.GetAwaiter().GetResult();
        return ValueTask.CompletedTask;
    }

    /// <summary>A byte range that is not empty, cut at the first and the last block border within it.</summary>
    readonly struct Pieces
    {
        public Pieces(long offsetBytes, long lengthBytes, int blockMask)
        {
            OffsetBytes = offsetBytes;
            OffsetInBlock = (int)offsetBytes & blockMask;
            var toBorder = blockMask + 1 - OffsetInBlock;
            HeadBytes = OffsetInBlock == 0 && lengthBytes > blockMask ? 0 : (int)Math.Min(lengthBytes, toBorder);
            TailBytes = (int)(lengthBytes - HeadBytes) & blockMask;
            MiddleBytes = lengthBytes - HeadBytes - TailBytes;
        }

        public long OffsetBytes { get; }

        public int OffsetInBlock { get; }

        public int HeadBytes { get; }

        public long MiddleBytes { get; }

        public int TailBytes { get; }

        public long MiddleStart => OffsetBytes + HeadBytes;

        public long TailStart => MiddleStart + MiddleBytes;

        public int Count => (HeadBytes > 0 ? 1 : 0) + (MiddleBytes > 0 ? 1 : 0) + (TailBytes > 0 ? 1 : 0);
    }
}
