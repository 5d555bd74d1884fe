using System.Buffers;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// Copies segments piece by piece, as requests of the initiator's own sessions: its rights, its reservations and the limits of the
/// volumes hold for them. What reads as zeros is not copied but unmapped, so that a thin copy of a thin disk stays thin.
/// </summary>
/// <remarks>A piece is read as a whole before any of it is written, so a run may overlap itself.</remarks>
/// <param name="session">Of the initiator with the unit that was asked.</param>
/// <param name="ending">Fires when the copy is to end.</param>
sealed class SegmentCopier(ClientSession session, CancellationToken ending)
{
    const int MaxExtents = 128;

    readonly BlockExtent[] extents = new BlockExtent[MaxExtents];

    /// <summary>Bytes that are where they belong.</summary>
    public long CopiedBytes { get; private set; }

    /// <exception cref="OperationCanceledException">It is to end, or its initiator has left; what is copied stays.</exception>
    public async ValueTask CopyAsync(CopySegment segment)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(CopyLimits.PieceBytes, segment.LengthBytes));
        try
        {
            for (long done = 0; done < segment.LengthBytes;)
            {
                // On a thread that may wait: that of the connection takes the next command, which may be the one that aborts this. Behind
                // an ordered one, which nothing overtakes, it waits until the copy has ended, at the latest by its time.
                await WorkerThreads.Blocking.RunAsync(static _ => { }, 0);
                ending.ThrowIfCancellationRequested();
                if (session.IsLeaving) throw new OperationCanceledException();
                var length = (int)Math.Min(CopyLimits.PieceBytes, segment.LengthBytes - done);
                var at = segment.IsBackward ? segment.LengthBytes - done - length : done;
                // Both ends were measured as a whole: no piece leaves them.
                Invariant.Require(length > 0 && at >= 0 && at <= segment.LengthBytes - length);
                await CopyPieceAsync(segment, at, buffer.AsMemory(0, length));
                done += length;
                CopiedBytes += length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    async ValueTask CopyPieceAsync(CopySegment segment, long at, Memory<byte> piece)
    {
        var (source, destination) = (segment.Source, segment.Destination);
        var (from, to) = (segment.SourceBytes + at, segment.DestinationBytes + at);
        var count = await DescribeAsync(source, from, piece.Length);
        var offset = 0;
        foreach (var (kind, bytes) in Runs(count, source, destination, piece.Length))
        {
            if (kind == BlockExtentKind.Data)
                await source.Session.ReadAsync(from + offset, piece.Slice(offset, bytes), ending);
            offset += bytes;
        }

        offset = 0;
        foreach (var (kind, bytes) in Runs(count, source, destination, piece.Length))
        {
            if (kind == BlockExtentKind.Data)
                await destination.Session.WriteAsync(to + offset, piece.Slice(offset, bytes), cancellationToken: ending);
            else
                await destination.Session.TrimAsync(to + offset, bytes, ending);
            offset += bytes;
        }

        Invariant.Require(offset == piece.Length); // All of it, or what was skipped would count as copied.
    }

    ValueTask<int> DescribeAsync(UnitNexus source, long offsetBytes, int lengthBytes) => source.Session.DescribeExtentsAsync(
        new Lba(offsetBytes >> source.Unit.BlockShift), lengthBytes >> source.Unit.BlockShift, extents);

    // What was not described, for want of room, counts as data; so does what is no whole block of the destination.
    IEnumerable<(BlockExtentKind Kind, int Bytes)> Runs(int count, UnitNexus source, UnitNexus destination, int lengthBytes)
    {
        var left = lengthBytes;
        if (destination.Unit.BlockSizeBytes <= source.Unit.BlockSizeBytes)
        {
            for (var i = 0; i < count && left > 0; i++)
            {
                var bytes = (int)Math.Min(left, extents[i].BlockCount << source.Unit.BlockShift);
                left -= bytes;
                yield return (extents[i].Kind == BlockExtentKind.Data ? BlockExtentKind.Data : BlockExtentKind.Hole, bytes);
            }
        }

        if (left > 0) yield return (BlockExtentKind.Data, left);
    }
}
