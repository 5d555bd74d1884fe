using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>Finds where a segment that is still being written can be cut, so that the copy is a whole segment.</summary>
static class LogCut
{
    /// <summary>
    /// Where the groups up to a sequence end. Groups behind may be half written, and space that was reserved may hold anything: a
    /// copy of them could look damaged.
    /// </summary>
    /// <exception cref="CorruptDataException">A group does not hold although it is not beyond the sequence.</exception>
    public static long Find(IFile file, LogInfo info, Guid storeId, ulong sequence)
    {
        var header = LogReader.ReadHeader(file, info.Id, info.Nonce, storeId);
        var seed = header.Seed;
        Span<byte> bytes = stackalloc byte[LogGroupHeader.SizeBytes];
        long offset = LogSegmentHeader.SizeBytes;
        var reached = 0UL;
        while (reached < sequence)
        {
            var read = file.Read(bytes, offset);
            if (!LogGroupHeader.TryRead(bytes[..read], header, seed, offset, out var group, out _))
            {
                if (bytes[..read].ContainsAnyExcept((byte)0) && reached > 0)
                    throw new CorruptDataException(file.Path, offset, $"a group does not hold, but sequence {sequence} is durable");
                break;
            }

            if (group.Kind == LogGroupKind.Entries && group.FirstSequence + (ulong)group.Count - 1 > sequence) break;
            if (group.Kind == LogGroupKind.Entries) reached = group.FirstSequence + (ulong)group.Count - 1;
            offset = group.EndOffset;
            if (group.Kind == LogGroupKind.Seal) break;
        }

        return offset;
    }
}
