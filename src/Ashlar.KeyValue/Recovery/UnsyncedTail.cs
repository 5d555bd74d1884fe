using Ashlar.Storage;

namespace Ashlar.KeyValue.Recovery;

/// <summary>
/// Makes sure of the end of a log that was not sealed. What a group says to have been durable was reported so by a sync. What
/// follows was found, but may be in the page cache only: if the earlier process saw a sync fail, its pages may even count as
/// written. Tables are about to refer to values there, so the same bytes are written again, at their place, and synced.
/// </summary>
static class UnsyncedTail
{
    const int ChunkBytes = 1 << 20;

    /// <summary>Writes a range again; a crash meanwhile finds the same bytes, or those of before.</summary>
    public static void MakeDurable(IFile file, long start, long end)
    {
        var buffer = new byte[Math.Min(ChunkBytes, Math.Max(0, end - start))];
        for (var offset = start; offset < end; offset += buffer.Length)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset));
            if (file.Read(chunk, offset) != chunk.Length)
                throw new CorruptDataException(file.Path, offset, "the log became shorter while it was recovered");
            file.Write(chunk, offset);
        }

        file.Sync();
    }
}
