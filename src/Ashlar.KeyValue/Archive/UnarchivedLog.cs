using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Archive;

/// <summary>Segments of the log that the archive does not have as a whole. The manifest is held meanwhile.</summary>
static class UnarchivedLog
{
    /// <summary>All that are there, oldest first; each is held.</summary>
    public static List<ValueSegment> Take(ManifestState state, ValueSegments values, ulong throughLog)
    {
        var segments = new List<ValueSegment>();
        foreach (var id in Ids(state, throughLog).Order())
        {
            // One that was listed just now is not there yet, and nothing was written to it.
            if (values.TryFind(id) is not { } segment || !segment.TryAcquire()) break;
            segments.Add(segment);
        }

        return segments;
    }

    /// <summary>Bytes of the log that the archive does not have.</summary>
    public static long Measure(ManifestState state, ValueSegments values, ArchivePart? newest, ulong throughLog, long openSegmentBytes)
    {
        var lag = 0L;
        foreach (var id in Ids(state, throughLog))
        {
            if (values.TryFind(id) is not { } segment) continue;
            var end = segment.EndOffset == 0 ? openSegmentBytes : segment.EndOffset;
            var start = newest is not null && newest.SegmentId == id ? newest.To : LogSegmentHeader.SizeBytes;
            lag += Math.Max(0, end - start);
        }

        return lag;
    }

    static IEnumerable<ulong> Ids(ManifestState state, ulong throughLog) =>
        state.Segments.Values.Where(segment => segment.Origin == SegmentOrigin.Log).Select(segment => segment.Id)
            .Concat(state.Logs.Keys).Where(id => id > throughLog).Distinct();
}
