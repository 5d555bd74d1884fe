using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Recovery;

/// <summary>Opens the segments that the manifest lists and checks that each is the one that is meant.</summary>
sealed class SegmentOpener(StoreFiles files, ValueSegments values, bool isReadOnly)
{
    /// <summary>Opens a segment that is to be replayed.</summary>
    /// <exception cref="CorruptDataException">It is missing, or another.</exception>
    public (ValueSegment Segment, LogSegmentHeader Header) OpenLog(in LogInfo log)
    {
        var header = Open(
            log.Id, log.Nonce, "the manifest lists this log segment, but the file is missing", isReplayed: true, SegmentOrigin.Log,
            out var segment);
        return (segment, header);
    }

    /// <summary>Opens a segment that tables refer to.</summary>
    /// <exception cref="CorruptDataException">It is missing, another, or too short.</exception>
    public void OpenValues(in ValueSegmentInfo info)
    {
        Open(
            info.Id, info.Nonce, "tables refer to values in this segment, but the file is missing", isReplayed: false, info.Origin,
            out var segment);
        var length = segment.File.LengthBytes;
        if (length < info.EndOffset)
            throw new CorruptDataException(
                segment.File.Path, length, $"the manifest says {info.EndOffset} bytes of values, the file has {length}");
        segment.EndOffset = info.EndOffset;
    }

    LogSegmentHeader Open(
        ulong id, ulong nonce, string ifMissing, bool isReplayed, SegmentOrigin origin, out ValueSegment segment)
    {
        var path = files.LogPath(id);
        if (!files.FileSystem.FileExists(path)) throw new CorruptDataException(path, 0, ifMissing);
        // What is replayed may have to be synced; values are only read.
        var file = isReplayed
            ? files.FileSystem.Open(path, isReadOnly ? FileOpenMode.ReadOnly : FileOpenMode.Existing)
            : files.Readers.Open(path);
        try
        {
            var header = LogSegmentHeader.ReadListed(file, id, nonce, files.StoreId);
            segment = values.Add(file, id, nonce, origin);
            return header;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
