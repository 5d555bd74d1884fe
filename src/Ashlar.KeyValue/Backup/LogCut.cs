using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>Finds where a segment that is still being written can be cut, so that the copy is a whole segment.</summary>
static class LogCut
{
    /// <summary>
    /// Where the groups up to a sequence end, each of them checked whole. Groups behind may be half written, and space that was reserved
    /// may hold anything: a copy of them could look damaged.
    /// </summary>
    /// <param name="file">The segment.</param>
    /// <param name="info">The segment as the manifest lists it, the last one.</param>
    /// <param name="storeId">The store that it is of.</param>
    /// <param name="recovered">Where recovery found the end of the log: a segment that it read is not written any more.</param>
    /// <param name="sequence">What is durable; it may have been written to earlier segments, or to a later one.</param>
    /// <exception cref="CorruptDataException">A group does not hold although it is not beyond the sequence.</exception>
    public static long Find(IFile file, LogInfo info, Guid storeId, in LogEnd recovered, ulong sequence)
    {
        var header = LogSegmentHeader.ReadListed(file, info.Id, info.Nonce, storeId);
        var reader = new LogGroupReader(file, file.LengthBytes, header, LogReadPolicy.ToFirstFailure, LogReadStart.Beginning());
        var knownEnd = recovered.SegmentId == info.Id ? recovered.EndOffset : 0;
        while (knownEnd == 0 ? reader.LastSequence < sequence : reader.Offset < knownEnd)
        {
            var offset = reader.Offset;
            if (!reader.TryRead(out var group))
            {
                // Without a group before it this may be where the first will be written.
                if (knownEnd == 0 && reader.LastSequence == 0) return offset;
                throw new CorruptDataException(file.Path, offset, $"a group that was durable does not hold: {reader.Problem}");
            }

            if (knownEnd == 0 && group.Header.LastSequence > sequence) return offset;
            if (group.Header.Kind == LogGroupKind.Seal) break;
        }

        return reader.Offset;
    }
}
