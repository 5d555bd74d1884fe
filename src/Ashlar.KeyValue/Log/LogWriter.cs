using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Appends groups to the log. Used by the leader of a commit only. Segments are created on the first write, so that a store
/// that is opened for reading writes nothing.
/// </summary>
/// <remarks>
/// Crash order of a new segment:
/// <list type="number">
/// <item>The segment before is sealed and synced: a hole between two segments cannot arise.</item>
/// <item>The new file gets its head and space, is synced, then its directory. Crash: an orphan, deleted at open.</item>
/// <item>The manifest names it, and where its predecessor ended. Crash: the log ends at the same place as before.</item>
/// <item>Only now groups are written to it: a segment that is missing later was lost, not torn.</item>
/// </list>
/// </remarks>
sealed class LogWriter : IDisposable
{
    const int LeastSegmentBytes = 512;

    readonly StoreFiles files;
    readonly Manifest manifest;
    readonly KeyValueOptions options;
    readonly FileNumbers numbers;
    readonly ValueSegments values;
    ValueSegment? open;
    IFile? file;
    LogSegmentHeader segment;
    uint seed;
    long end;
    long durableThrough;
    long allocated;
    uint previousHeaderCrc;
    ulong lastId;
    long lastEnd;
    uint lastCrc;
    long syncs;
    long bytesWritten;

    public LogWriter(
        StoreFiles files, Manifest manifest, KeyValueOptions options, FileNumbers numbers, ValueSegments values, LogEnd recovered,
        long lastCommitTime)
    {
        LastCommitTime = lastCommitTime; // No group gets a smaller one.
        this.files = files;
        this.manifest = manifest;
        this.options = options;
        this.numbers = numbers;
        this.values = values;
        lastId = recovered.SegmentId;
        lastEnd = recovered.EndOffset;
        lastCrc = recovered.HeaderCrc;
    }

    public bool HasOpenSegment => file is not null;

    /// <summary>The segment that is being written; readers find values in it at once.</summary>
    public ValueSegment? OpenSegment => open;

    /// <summary>Length of the segment that is being written.</summary>
    public long SegmentBytes => end;

    public long Syncs => Volatile.Read(ref syncs);

    public long BytesWritten => Volatile.Read(ref bytesWritten);

    /// <summary>Bytes written since the last sync.</summary>
    public long UnsyncedBytes => end - durableThrough;

    /// <summary>Time of the newest group, in microseconds since 1970: it does not go back where the clock does.</summary>
    public long LastCommitTime { get; private set; }

    /// <summary>The segment that was written last; 0 if the store never had one that still counted.</summary>
    public ulong LastSegmentId => file is null ? lastId : segment.SegmentId;

    /// <summary>
    /// Makes sure that a group of this size can be written: creates the segment, reserves disk space. If this fails nothing
    /// of the group is in doubt, except where the manifest is; room for the seal is reserved along.
    /// </summary>
    public void Reserve(long bodyLength)
    {
        if (file is null) CreateSegment();
        var needed = LogGroupHeader.Align(end + LogGroupHeader.SizeBytes + bodyLength) + LogGroupHeader.SizeBytes;
        if (needed <= allocated) return;
        var chunk = options.LogChunkBytes;
        var target = Math.Max(needed, Math.Min(allocated + chunk, needed + chunk));
        allocated = AllocateTo(file!, target, needed);
    }

    /// <summary>Writes a group whose head is still to be filled in at the start of <paramref name="buffer"/>.</summary>
    /// <returns>Where in the segment it lies.</returns>
    public long Append(Span<byte> buffer, ulong firstSequence, int count)
    {
        Invariant.Require(file is not null && count > 0);
        var offset = end;
        var body = buffer[LogGroupHeader.SizeBytes..];
        WriteGroup(buffer, firstSequence, count, LogGroupHeader.ComputeBodyCrc(body, seed), LogGroupKind.Entries);
        return offset;
    }

    public void Sync()
    {
        if (file is null || UnsyncedBytes == 0) return;
        var through = end;
        if (options.PlantedBug != PlantedBug.SkipLogSync) file.Sync();
        Volatile.Write(ref syncs, syncs + 1);
        durableThrough = through;
    }

    /// <summary>
    /// Ends the segment: everything in it is durable, and the seal says so. The next group starts a new one.
    /// </summary>
    public void Seal()
    {
        if (file is null) return;
        if (options.PlantedBug != PlantedBug.SkipLogSyncAtRotation) Sync();
        Span<byte> buffer = stackalloc byte[LogGroupHeader.SizeBytes];
        WriteGroup(buffer, 0, 0, seed, LogGroupKind.Seal);
        if (allocated > end) file.SetLength(end);
        if (options.PlantedBug is not (PlantedBug.SkipLogSyncAtRotation or PlantedBug.SkipLogSync)) file.Sync();
        durableThrough = end;
        lastId = segment.SegmentId;
        lastEnd = end;
        lastCrc = previousHeaderCrc;
        open!.EndOffset = end;
        open.Release();
        open = null;
        file = null;
        end = 0;
        durableThrough = 0;
    }

    public void Dispose() => open?.Release();

    static long Microseconds(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    // On a disk that is nearly full the chunk may not fit any more, but the group may.
    long AllocateTo(IFile segmentFile, long wanted, long needed)
    {
        try
        {
            segmentFile.Allocate(allocated, wanted - allocated);
            return wanted;
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace && needed < wanted)
        {
            segmentFile.Allocate(allocated, needed - allocated);
            return needed;
        }
    }

    void WriteGroup(Span<byte> buffer, ulong firstSequence, int count, uint bodyCrc, LogGroupKind kind)
    {
        LastCommitTime = Math.Max(LastCommitTime, Microseconds(options.TimeProvider.GetUtcNow()));
        var header = new LogGroupHeader(
            segment.SegmentId, segment.Nonce, end, firstSequence, buffer.Length - LogGroupHeader.SizeBytes, count,
            durableThrough, previousHeaderCrc, bodyCrc, kind, LastCommitTime);
        previousHeaderCrc = header.Write(buffer, seed);
        Invariant.Require(header.EndOffset <= allocated);
        file!.Write(buffer, end);
        end = header.EndOffset;
        Volatile.Write(ref bytesWritten, bytesWritten + buffer.Length);
    }

    void CreateSegment()
    {
        var id = numbers.Next();
        var path = files.LogPath(id);
        var created = new LogSegmentHeader(files.StoreId, id, options.Entropy.NextUInt64());
        var newFile = files.FileSystem.Open(path, FileOpenMode.CreateNew);
        long reserved;
        try
        {
            allocated = 0;
            reserved = AllocateTo(newFile, Math.Max(options.LogChunkBytes, LeastSegmentBytes), LeastSegmentBytes);
            Span<byte> header = stackalloc byte[LogSegmentHeader.SizeBytes];
            created.Write(header);
            newFile.Write(header, 0);
            newFile.Sync();
            if (options.PlantedBug != PlantedBug.SkipDirectorySyncOfLog) files.SyncDirectory();
        }
        catch
        {
            // The manifest does not name it: nothing is in doubt.
            newFile.Dispose();
            files.TryDelete(path);
            throw;
        }

        try
        {
            lock (manifest.Gate)
            {
                var edit = new ManifestEdit();
                edit.AddedLogs.Add(new LogInfo(id, created.Nonce, lastId, lastEnd, lastCrc));
                manifest.Append(edit);
            }
        }
        catch (Exception cause)
        {
            newFile.Dispose();
            throw new InDoubtException(cause);
        }

        file = newFile;
        open = values.Add(newFile, id, created.Nonce);
        open.Acquire();
        segment = created;
        seed = created.Seed;
        end = LogSegmentHeader.SizeBytes;
        durableThrough = end;
        allocated = reserved;
        previousHeaderCrc = 0;
    }
}
