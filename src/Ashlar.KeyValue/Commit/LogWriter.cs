using Ashlar.KeyValue.Engine;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Appends groups to the log, for one leader at a time; several flushes may be under way, each by an open file description of
/// its own, so that each gets the disk's errors (see <see cref="InFlightSyncs"/>). Segments are created on the first write, so that a store
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
    const int MinSegmentBytes = 512;

    /// <summary>Reserved ahead in the first segment of a store, as long as that is short.</summary>
    const int MinAheadBytes = 64 << 10;

    /// <summary>Flushes of fewer bytes than this, on average, are worth writing the log's blocks twice.</summary>
    const int PrewriteBelowBytes = 64 << 10;

    /// <summary>How far ahead zeros are written: the flush that takes them along is longer by a quarter of a millisecond.</summary>
    const int PrewriteBytes = 256 << 10;

    readonly EngineContext engine;
    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly IFile?[] handles;
    ValueSegment? open;
    IFile? file; // The first of the handles.
    LogSegmentHeader segment;
    uint seed;
    long end;
    long durableThrough;
    long allocated;
    long prewritten;
    long bytesAtPrewrite;
    long syncsAtPrewrite;
    uint previousHeaderCrc;
    ulong lastId;
    long lastEnd;
    uint lastCrc;
    long syncs;
    long bytesWritten;

    public LogWriter(EngineContext engine, LogEnd recovered, long lastCommitTime)
    {
        LastCommitTime = lastCommitTime; // No group gets a smaller one.
        this.engine = engine;
        (files, options) = (engine.Files, engine.Options);
        handles = new IFile?[options.MaxInFlightSyncs];
        lastId = recovered.SegmentId;
        lastEnd = recovered.EndOffset;
        lastCrc = recovered.HeaderCrc;
    }

    public bool HasOpenSegment => file is not null;

    /// <summary>The segment that is being written; readers find values in it at once.</summary>
    public ValueSegment? OpenSegment => open;

    /// <summary>Length of the segment that is being written.</summary>
    public long SegmentBytes => end;

    /// <summary>
    /// What is reserved ahead where there is room: as much as the log is long, up to a whole chunk, so that small stores stay small.
    /// </summary>
    public long AheadBytes => Math.Min(options.LogChunkBytes, Math.Max(MinAheadBytes, Math.Max(end, lastEnd)));

    public long Syncs => Volatile.Read(ref syncs);

    public long BytesWritten => Volatile.Read(ref bytesWritten);

    /// <summary>Bytes that no flush vouches for yet.</summary>
    public long UnsyncedBytes => end - Volatile.Read(ref durableThrough);

    /// <summary>Time of the newest group, in microseconds since 1970: it does not go back where the clock does.</summary>
    public long LastCommitTime { get; private set; }

    /// <summary>The segment that was written last; 0 if the store never had one that still counted.</summary>
    public ulong LastSegmentId => file is null ? lastId : segment.SegmentId;

    /// <summary>
    /// Makes sure that a group of this size can be written: creates the segment, reserves disk space. If this fails nothing
    /// of the group is in doubt, except where the manifest is; room for the seal is reserved along.
    /// </summary>
    /// <param name="bodyLength">Bytes of the batches of the group.</param>
    /// <param name="aheadBytes">What is reserved beyond the group, where there is as much.</param>
    public void Reserve(long bodyLength, long aheadBytes)
    {
        if (file is null) CreateSegment(aheadBytes);
        var needed = EndBehind(end, bodyLength);
        if (needed > allocated)
            allocated = AllocateTo(file!, Math.Max(needed, Math.Min(allocated, needed) + aheadBytes), needed);
        if (needed > prewritten) Prewrite(needed);
    }

    /// <summary>Disk space that <see cref="Reserve"/> would ask for; 0 if the group fits into what is reserved.</summary>
    public long MissingBytes(long bodyLength, long aheadBytes)
    {
        if (file is null) return Math.Max(MinSegmentBytes, EndBehind(LogSegmentHeader.SizeBytes, bodyLength)) + aheadBytes;
        var needed = EndBehind(end, bodyLength);
        return needed <= allocated ? 0 : needed - allocated + aheadBytes;
    }

    static long EndBehind(long start, long bodyLength) =>
        LogGroupHeader.Align(start + LogGroupHeader.SizeBytes + bodyLength) + LogGroupHeader.SizeBytes;

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

    /// <summary>
    /// Has the disk begin with what lies behind an offset while the leader is still busy with the group: the flush that must follow has
    /// less to wait for. The kernel may do so by itself at any time, so it changes nothing about what is durable, or about who learns
    /// of the disk's errors.
    /// </summary>
    public void StartWriteBack(long offset) => file!.StartWriteBack(offset, end - offset);

    /// <summary>Flushes by one of the segment's open file descriptions; no other flush uses it meanwhile.</summary>
    public void Sync(int handle)
    {
        handles[handle]!.Sync();
        // After the sync and before anybody is told: who opens the store after this, because its lock file is gone, reads what was synced.
        files.RequireInPlace();
        Interlocked.Increment(ref syncs);
    }

    /// <summary>
    /// Flushes vouch for everything up to here. Only such places get into the heads of groups: behind one that was not
    /// durable yet, recovery would take a torn tail for damage.
    /// </summary>
    public void MarkDurable(long through)
    {
        Invariant.Require(through >= durableThrough && through <= end);
        Volatile.Write(ref durableThrough, through);
    }

    /// <summary>
    /// Ends the segment: everything in it is durable, and the seal says so. The next group starts a new one. No flush is
    /// under way.
    /// </summary>
    public void Seal()
    {
        if (file is null) return;
        if (UnsyncedBytes > 0)
        {
            Sync(0);
            durableThrough = end;
        }

        Span<byte> buffer = stackalloc byte[LogGroupHeader.SizeBytes];
        WriteGroup(buffer, 0, 0, seed, LogGroupKind.Seal);
        if (allocated > end) file.SetLength(end);
        file.Sync();
        files.RequireInPlace(); // As in Sync.
        durableThrough = end;
        lastId = segment.SegmentId;
        lastEnd = end;
        lastCrc = previousHeaderCrc;
        open!.EndOffset = end;
        CloseHandles();
        end = 0;
        durableThrough = 0;
    }

    public void Dispose() => CloseHandles();

    // Blocks that were reserved only cost every flush that reaches the next of them a write of metadata. The next flush makes the
    // zeros durable along with its groups; until then either is what the reservation reads as.
    void Prewrite(long needed)
    {
        var (bytes, flushes) = (BytesWritten - bytesAtPrewrite, Syncs - syncsAtPrewrite);
        bytesAtPrewrite += bytes;
        syncsAtPrewrite += flushes;
        var start = Math.Max(prewritten, end);
        prewritten = Math.Min(allocated, needed + Math.Min(options.LogChunkBytes, PrewriteBytes));
        if (!options.PrewriteLog || bytes > flushes * PrewriteBelowBytes) return;
        try
        {
            FileSpace.WriteZeros(file!, start, prewritten);
        }
        catch (Exception cause)
        {
            throw new InDoubtException(cause);
        }
    }

    void CloseHandles()
    {
        open?.Release();
        open = null;
        foreach (var handle in handles) handle?.Dispose();
        Array.Clear(handles);
        file = null;
    }

    // On a disk that is nearly full, or at the largest size of a file, the chunk may not fit any more, but the group may. Where
    // space can only be had by writing zeros, it is had a little ahead, or each chunk would delay a flush.
    long AllocateTo(IFile segmentFile, long wanted, long needed)
    {
        try
        {
            if (FileSpace.TryReserve(segmentFile, allocated, wanted - allocated)) return wanted;
            wanted = Math.Min(wanted, needed + PrewriteBytes);
            FileSpace.Extend(segmentFile, allocated, wanted - allocated);
            prewritten = wanted;
            return wanted;
        }
        catch (StorageException full) when (needed < wanted
            && (full.Kind == StorageErrorKind.NoSpace || full.Errno == Errno.FileTooLarge))
        {
            FileSpace.Extend(segmentFile, allocated, needed - allocated);
            return needed;
        }
    }

    void WriteGroup(Span<byte> buffer, ulong firstSequence, int count, uint bodyCrc, LogGroupKind kind)
    {
        LastCommitTime = Math.Max(LastCommitTime, CommitTime.Of(options.TimeProvider.GetUtcNow()));
        var header = new LogGroupHeader(
            segment.SegmentId, segment.Nonce, end, firstSequence, buffer.Length - LogGroupHeader.SizeBytes, count,
            Volatile.Read(ref durableThrough),
            previousHeaderCrc, bodyCrc, kind, LastCommitTime);
        previousHeaderCrc = header.Write(buffer, seed);
        Invariant.Require(header.EndOffset <= allocated);
        file!.Write(buffer, end);
        end = header.EndOffset;
        Volatile.Write(ref bytesWritten, bytesWritten + buffer.Length);
    }

    void CreateSegment(long aheadBytes)
    {
        var id = engine.Numbers.Next();
        var path = files.LogPath(id);
        var nonce = options.Entropy.NextUInt64();
        LogSegmentHeader created;
        var newFile = handles[0] = files.FileSystem.Open(path, FileOpenMode.CreateNew);
        IFile? reader = null; // Of its own: it may be closed and opened again as any other (see OpenFiles).
        long reserved;
        try
        {
            for (var i = 1; i < handles.Length; i++) handles[i] = files.FileSystem.Open(path, FileOpenMode.Existing);
            reader = files.Readers.Open(path);
            allocated = 0;
            prewritten = 0;
            reserved = AllocateTo(newFile, Math.Max(aheadBytes, MinSegmentBytes), MinSegmentBytes);
            created = new LogSegmentHeader(files.StoreId, id, nonce, reserved);
            Span<byte> header = stackalloc byte[LogSegmentHeader.SizeBytes];
            created.Write(header);
            newFile.Write(header, 0);
            newFile.Sync();
            files.SyncDirectory();
        }
        catch
        {
            // The manifest does not name it: nothing is in doubt.
            reader?.Dispose();
            CloseHandles();
            files.TryDelete(path);
            throw;
        }

        try
        {
            using (engine.Manifest.Gate.Hold())
            {
                var edit = new ManifestEdit();
                edit.AddedLogs.Add(new LogInfo(id, created.Nonce, lastId, lastEnd, lastCrc));
                engine.Manifest.Append(edit);
            }
        }
        catch (Exception cause)
        {
            reader.Dispose();
            CloseHandles();
            if (engine.Manifest.IsInDoubt) throw new InDoubtException(cause);
            files.TryDelete(path);
            throw;
        }

        try
        {
            open = engine.Values.Add(reader, id, created.Nonce);
            open.Acquire();
        }
        catch (Exception cause)
        {
            // The manifest names a segment that nobody can find what is written to.
            throw new InDoubtException(cause);
        }

        file = newFile;
        segment = created;
        seed = created.Seed;
        end = LogSegmentHeader.SizeBytes;
        durableThrough = end;
        allocated = reserved;
        previousHeaderCrc = 0;
    }
}
