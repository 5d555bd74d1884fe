using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>Looks for heads of groups behind one that does not hold.</summary>
/// <param name="file">The segment.</param>
/// <param name="segment">Its head.</param>
/// <param name="from">Where the group lies that does not hold.</param>
/// <param name="end">How far to look.</param>
sealed class LogGroupSearch(IFile file, LogSegmentHeader segment, long from, long end)
{
    const int ChunkBytes = 256 << 10;

    readonly uint seed = segment.Seed;
    readonly long from = from;
    readonly byte[] chunk = new byte[Math.Min(ChunkBytes, Math.Max(0, end - from)) + LogGroupHeader.SizeBytes];
    long chunkStart = from;
    long next = from; // Groups lie at multiples of their alignment.
    int filled = -1;

    /// <summary>Bytes from the beginning to the last that is not zero, of those that were looked at.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Finds the next head; false if there is none up to the end.</summary>
    public bool TryFind(out LogGroupHeader header)
    {
        header = default;
        while (next < end)
        {
            if (filled < 0 || next >= chunkStart + ChunkBytes) Load();
            while (next < chunkStart + ChunkBytes && next < end)
            {
                var offset = next;
                next += LogGroupHeader.AlignmentBytes;
                var at = (int)(offset - chunkStart);
                if (at + LogGroupHeader.SizeBytes > filled || offset == from) continue;
                if (LogGroupHeader.TryRead(chunk.AsSpan(at, LogGroupHeader.SizeBytes), segment, seed, offset, out header, out _))
                    return true;
            }
        }

        return false;
    }

    // Chunks overlap by a head.
    void Load()
    {
        chunkStart = next;
        filled = file.Read(chunk, chunkStart);
        var bytes = chunk.AsSpan(0, (int)Math.Min(filled, end - chunkStart));
        if (bytes.LastIndexOfAnyExcept((byte)0) is >= 0 and var last) ContentBytes = chunkStart + last + 1 - from;
    }
}
