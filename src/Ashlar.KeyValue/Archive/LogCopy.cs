using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>Writes what is durable of the log to the archive, in parts, and lets go of segments that it has as a whole.</summary>
/// <remarks>
/// Invariant: a segment of the log stays on the store's disk until all of it is durable in the archive. The manifest keeps
/// it listed (<see cref="ManifestState.AwaitsArchive"/>); only the edit of <see cref="Release"/>, written after the parts
/// are durable, lets go of it. So no failure of the archive loses anything, and a crash at any place finds the rest
/// of the log here.
/// </remarks>
sealed class LogCopy(ArchivedStore store, ArchiveDirectory directory, ArchiveProgress progress)
{
    readonly StoreFiles files = store.Files;
    readonly Manifest manifest = store.Manifest;
    readonly ValueSegments values = store.Values;
    readonly PoisonLatch poison = store.Poison;

    /// <summary>Archives what is durable.</summary>
    /// <param name="durable">Up to where the log is durable, asked before: it lies in a segment that is listed by now.</param>
    public void Run(ulong durable)
    {
        List<ValueSegment> segments;
        using (manifest.Gate.Hold())
        {
            // What the end of archiving has let go of is missing from now on: no part may go on behind it.
            if (manifest.State.Archive is null) throw directory.Ended();
            segments = UnarchivedLog.Take(manifest.State, values, progress.Position.ThroughLog);
        }

        try
        {
            foreach (var segment in segments)
            {
                var end = segment.EndOffset; // 0 while it is being written.
                ArchiveSegment(segment, end, durable);
                if (end == 0) break;
                progress.Position = progress.Position with { ThroughLog = segment.Id };
            }
        }
        finally
        {
            foreach (var segment in segments) segment.Release();
        }

        var position = progress.Position;
        if (position.LastSequence < durable && durable > store.RecoveredSequence)
            throw new CorruptDataException(
                files.LogPath(position.ThroughLog + 1), 0,
                $"the log should hold sequence {durable}, but it ends at {position.LastSequence}");
    }

    void ArchiveSegment(ValueSegment segment, long end, ulong durable)
    {
        var (newest, position) = (progress.Newest, progress.Position);
        var continues = newest is not null && newest.SegmentId == segment.Id && newest.Nonce == segment.Nonce;
        var header = new LogSegmentHeader(files.StoreId, segment.Id, segment.Nonce);
        var length = end == 0 ? segment.File.LengthBytes : end;
        var start = continues
            ? new LogReadStart(newest!.To, newest.EndHeadCrc, position.LastSequence)
            : LogReadStart.Beginning(position.LastSequence);
        var reader = new LogGroupReader(segment.File, length, header, LogReadPolicy.ToFirstFailure, start);
        using var writer = new ArchivePartWriter(
            directory,
            new ArchivePart
            {
                StoreId = files.StoreId,
                HistoryId = manifest.HistoryId,
                Number = position.Part + 1,
                PreviousCrc = position.PartCrc,
                SegmentId = segment.Id,
                Nonce = segment.Nonce,
                From = reader.Offset,
                AfterSequence = position.LastSequence,
            });
        while (end == 0 || reader.Offset < end)
        {
            if (!reader.TryRead(out var group))
            {
                if (end == 0) break; // It is being written.
                throw new CorruptDataException(
                    segment.File.Path, reader.Offset, $"a group does not hold, but the segment goes on to byte {end}: {reader.Problem}");
            }

            if (group.Header.Kind != LogGroupKind.Entries) break;
            var isDurable = end != 0 || group.Header.LastSequence <= durable;
            if (!isDurable) break;
            writer.Add(group);
        }

        if (!writer.HasContent) return;
        progress.Add(writer.Finish(store.Options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() * 1000));
    }

    /// <summary>Lets go of segments that are archived as a whole.</summary>
    /// <param name="isLast">Whether the store is being closed: the manifest is told of parts in any case.</param>
    // Crash order: the parts are durable. Before the edit is, the segments stay listed; after it, their files are leftovers.
    public void Release(bool isLast)
    {
        var position = progress.Position;
        List<ulong> dropped;
        using (manifest.Gate.Hold())
        {
            if (poison.IsSet || manifest.IsInDoubt) return;
            if (manifest.State.Archive is not { } known) return; // It was ended meanwhile, and they are let go of.
            var isWorthIt = isLast
                ? known != position
                : manifest.State.Segments.Values.Any(
                    one => manifest.State.AwaitsArchive(one.Id, one.Origin) && one.Id <= position.ThroughLog);
            if (!isWorthIt) return;
            try
            {
                dropped = manifest.Append(new ManifestEdit { Archive = position });
            }
            catch (Exception cause)
            {
                if (manifest.IsInDoubt) poison.Set(cause);
                throw;
            }
        }

        foreach (var id in dropped) values.Retire(id);
    }
}
