using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>The files that count against <see cref="KeyValueOptions.SpaceAmplification"/> at one moment.</summary>
sealed class CollectableFiles
{
    readonly Dictionary<ulong, SegmentReference> references;

    public CollectableFiles(ValueSegmentInfo[] segments, Dictionary<ulong, SegmentReference> references) =>
        (Segments, this.references) = (segments, references);

    /// <summary>Segments that are not replayed any more.</summary>
    public ValueSegmentInfo[] Segments { get; }

    /// <summary>
    /// Bytes of log, segments, tables and the reserve for a full disk. Segments that only the archive or readers still need are left out:
    /// moving values does not free them.
    /// </summary>
    public double TotalBytes { get; init; }

    public static CollectableFiles Measure(Manifest manifest, StoreState state, TableSet tables, SpaceReserve space)
    {
        Dictionary<ulong, SegmentReference> references;
        ValueSegmentInfo[] segments;
        using (manifest.Gate.Hold())
        {
            references = new(manifest.State.References);
            segments = [.. manifest.State.Segments.Values];
        }

        var waiting = segments.Where(segment => !references.ContainsKey(segment.Id)).Sum(segment => segment.EndOffset);
        var index = tables.All().Sum(table => table.Info.FileLength);
        return new CollectableFiles(segments, references)
        {
            TotalBytes = state.Values.BytesOnDisk() - waiting + index + space.TargetBytes,
        };
    }

    /// <summary>Whether tables refer to a segment.</summary>
    public bool IsReferred(ulong segmentId) => references.ContainsKey(segmentId);

    /// <summary>How many bytes of it they refer to, stale entries included.</summary>
    public long ReferredBytes(ulong segmentId) => references.GetValueOrDefault(segmentId).LiveBytes;

    /// <summary>What share of it they refer to.</summary>
    // Heads of moved records count, too: moving them again would free nothing, and go on for ever.
    public double ReferredShare(ValueSegmentInfo segment)
    {
        var reference = references.GetValueOrDefault(segment.Id);
        var heads = LogSegmentHeader.SizeBytes
            + (segment.Origin == SegmentOrigin.Moved ? MovedRecordHeader.SizeBytes * reference.Count : 0);
        return (double)(reference.LiveBytes + heads) / segment.EndOffset;
    }

    /// <summary>How many bytes of it are freed without moving anything.</summary>
    public double UnreferredBytes(ValueSegmentInfo segment) => segment.EndOffset * (1 - ReferredShare(segment));
}
