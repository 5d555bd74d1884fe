using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Statistics;

/// <summary>What a store takes on disk, and about how much of that is live.</summary>
/// <param name="TotalBytes">Length of all files.</param>
/// <param name="LiveBytes">What would be left if everything were merged and moved, estimated.</param>
/// <param name="LogBytes">Segments that are replayed when the store is opened, with what is reserved ahead.</param>
/// <param name="LogAheadBytes">What of the log is reserved ahead of its end.</param>
/// <param name="VictimBytes">Segments that are given up: what is live of them is being moved.</param>
readonly record struct SpaceUse(long TotalBytes, long LiveBytes, long LogBytes, long LogAheadBytes, long VictimBytes)
{
    /// <summary>Measures; the manifest is held meanwhile. A file that cannot be looked at counts with what was written to it.</summary>
    public static SpaceUse Measure(
        StoreState store,
        TableSet tables,
        Manifest manifest,
        ValueSegments values,
        IReadOnlySet<ulong> victims,
        long keptBytes,
        long reservedBytes,
        long openLogBytes)
    {
        var live = EstimateLive(store, tables);
        long log = 0, unflushed = 0;
        using (manifest.Gate.Hold())
        {
            var state = manifest.State;
            foreach (var id in state.Logs.Keys)
            {
                if (values.TryFind(id) is not { } segment) continue;
                var written = segment.EndOffset > 0 ? segment.EndOffset : openLogBytes;
                if (!TryMeasure(segment, written, out var length)) continue;
                log += length;
                unflushed += Math.Min(written, length);
            }

            var (given, referred) = (0L, 0L);
            foreach (var segment in state.Segments.Values)
            {
                referred += segment.EndOffset;
                if (victims.Contains(segment.Id)) given += segment.EndOffset;
            }

            var total = tables.All().Sum(table => table.Info.FileLength)
                + referred + log + manifest.LengthBytes + keptBytes + reservedBytes;
            return new SpaceUse(total, live + unflushed, log, log - unflushed, given);
        }
    }

    static bool TryMeasure(ValueSegment segment, long written, out long length)
    {
        try
        {
            return segment.TryMeasure(out length);
        }
        catch (StorageException)
        {
            length = written;
            return true;
        }
    }

    // Where the sample cannot be read, everything that is referred to.
    static long EstimateLive(StoreState store, TableSet tables)
    {
        try
        {
            var live = LiveEstimate.Of(store, tables);
            return (long)(live.ValueBytes + live.TableBytes);
        }
        catch (AshlarException error) when (error is not InvariantException)
        {
            return tables.All().Sum(table => table.Info.FileLength + LiveEstimate.ReferredBytes(table));
        }
    }
}
