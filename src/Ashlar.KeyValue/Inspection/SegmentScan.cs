using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>
/// Reads a segment as far as anything of it holds. Whether it is one of the log or of moved values only the manifest says, which
/// may be lost: what holds first in it tells as well, because both kinds of heads are under checksums that start from the segment's seed.
/// </summary>
sealed class SegmentScan(IFile file, IScanSink sink)
{
    const int ChunkBytes = 256 << 10;

    /// <summary>Scans up to an offset, or to the end of the file.</summary>
    public void Run(long end = long.MaxValue)
    {
        end = Math.Min(end, file.LengthBytes);
        var head = new byte[LogSegmentHeader.SizeBytes];
        LogSegmentHeader segment;
        try
        {
            segment = LogSegmentHeader.Read(head.AsSpan(0, file.Read(head, 0)), file.Path);
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(0, file.LengthBytes, $"{damage.Message}; without its head nothing of a segment can be told from rubbish");
            return;
        }

        var isMoved = IsMoved(segment, end);
        sink.Structure(
            0,
            $"{(isMoved ? "segment of moved values" : "log segment")} {segment.SegmentId} of store {segment.StoreId}, nonce "
                + $"{segment.Nonce:x16}");
        if (isMoved) new MovedScan(file, segment, sink).Run(end);
        else new LogScan(file, segment, sink).Run(end);
    }

    bool IsMoved(in LogSegmentHeader segment, long end)
    {
        var seed = segment.Seed;
        var chunk = new byte[ChunkBytes + LogGroupHeader.SizeBytes];
        for (long start = LogSegmentHeader.SizeBytes; start < end; start += ChunkBytes)
        {
            var bytes = chunk.AsSpan(0, file.Read(chunk, start));
            for (var at = 0; at < Math.Min(ChunkBytes, bytes.Length); at++)
            {
                if (at % LogGroupHeader.AlignmentBytes == 0
                    && LogGroupHeader.TryRead(bytes[at..], segment, seed, start + at, out _, out _)) return false;
                if (MovedScan.IsRecord(bytes[at..], start + at, seed, out _)) return true;
            }
        }

        return false;
    }
}
