using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Copies the log to the archive, behind the writers' backs: it reads what is durable, from the files, and nothing waits for it.
/// </summary>
/// <remarks>
/// <para>Invariant: a segment of the log stays on the store's disk until all of it is durable in the archive. The manifest keeps
/// it listed (<see cref="ManifestState.AwaitsArchive"/>); only the edit of <see cref="ReleaseLogs"/>, written after the parts
/// are durable, lets go of it. So no failure of the archive loses anything, and a crash at any place finds the rest
/// of the log here.</para>
/// <para>Every failure is kept for the statistics and tried again with the next tick. After one, the directory is looked at
/// anew: whether the last part counts is known only from there.</para>
/// </remarks>
sealed class LogArchiver : IDisposable
{
    readonly StoreFiles files;
    readonly Manifest manifest;
    readonly ValueSegments values;
    readonly KeyValueOptions options;
    readonly PoisonLatch poison;
    readonly ArchiveDirectory directory;
    readonly Func<ulong> durableSequence;
    readonly Action sync;
    readonly ulong recoveredSequence;
    readonly Lock passGate = new();
    readonly object gate = new();
    readonly ITimer timer;
    readonly Thread? thread;
    IDisposable? held;
    ArchivePart? newest;
    ArchivePosition position;
    Exception? failure;
    DateTimeOffset completeAt;
    ulong completeSequence;
    long partsWritten;
    bool isWoken;
    bool isTick;
    bool isStopping;

    /// <summary>Prepares the archive of a store; nothing is done before <see cref="Start"/>.</summary>
    /// <param name="files">The store.</param>
    /// <param name="manifest">Its manifest, in which archiving has begun.</param>
    /// <param name="values">Its segments.</param>
    /// <param name="options">How it was opened.</param>
    /// <param name="poison">Set if an edit is left in doubt.</param>
    /// <param name="recoveredSequence">What had been written when it was opened.</param>
    /// <param name="durableSequence">Up to where the log is durable.</param>
    /// <param name="sync">Makes durable what writers left unflushed.</param>
    public LogArchiver(
        StoreFiles files, Manifest manifest, ValueSegments values, KeyValueOptions options, PoisonLatch poison,
        ulong recoveredSequence, Func<ulong> durableSequence, Action sync)
    {
        this.files = files;
        this.manifest = manifest;
        this.values = values;
        this.options = options;
        this.poison = poison;
        this.recoveredSequence = recoveredSequence;
        this.durableSequence = durableSequence;
        this.sync = sync;
        directory = new ArchiveDirectory(files.FileSystem, Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.LogArchiveDirectory!)));
        position = manifest.State.Archive!.Value;
        completeAt = options.TimeProvider.GetUtcNow();
        timer = options.TimeProvider.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (!options.BackgroundInline) thread = new Thread(Run) { IsBackground = true, Name = $"archive {files.Directory}" };
    }

    /// <summary>Begins to work, once the store can be written to.</summary>
    public void Start()
    {
        // Half of the time is for waiting, the other half for the disk.
        var period = options.LogArchiveInterval / 2;
        timer.Change(period, period);
        thread?.Start();
        Wake();
    }

    /// <summary>What kept the last attempt from its end; null if nothing did.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>Parts written since the store was opened.</summary>
    public long PartsWritten => Volatile.Read(ref partsWritten);

    /// <summary>The part that was written last; null before the first, and while the archive is not at hand.</summary>
    public ArchivePart? Newest => Volatile.Read(ref newest);

    /// <summary>Segments up to this one are in the archive as a whole.</summary>
    public ulong ThroughLog
    {
        get
        {
            lock (gate) return position.ThroughLog;
        }
    }

    /// <summary>Every write up to here is in the archive.</summary>
    public ulong ArchivedSequence
    {
        get
        {
            lock (gate) return Math.Max(position.LastSequence, completeSequence);
        }
    }

    /// <summary>Every write that returned before this moment is in the archive.</summary>
    public DateTimeOffset CompleteAt
    {
        get
        {
            lock (gate) return completeAt;
        }
    }

    /// <summary>From the edit on, no segment of the log goes before it is archived.</summary>
    public static void Begin(Manifest manifest, KeyValueOptions options)
    {
        if (options.LogArchiveDirectory is null || manifest.State.Archive is not null) return;
        lock (manifest.Gate)
        {
            var state = manifest.State;
            manifest.Append(new ManifestEdit { Archive = new ArchivePosition(state.ObsoleteThroughLog, state.LastSequence, 0, 0) });
        }
    }

    /// <summary>There may be a segment that only the archive still needs. While the archive fails, the timer tries.</summary>
    public void Wake()
    {
        if (Failure is not null) return;
        if (thread is null) RunOnce();
        else Signal(tick: false);
    }

    /// <summary>Bytes of the log that the archive does not have.</summary>
    public static long LagBytes(ManifestState state, ValueSegments values, ArchivePart? newest, ulong throughLog, long openSegmentBytes)
    {
        var lag = 0L;
        var waiting = state.Segments.Values.Where(segment => segment.Origin == SegmentOrigin.Log).Select(segment => segment.Id).Concat(state.Logs.Keys);
        foreach (var id in waiting.Where(id => id > throughLog).Distinct())
        {
            if (values.TryFind(id) is not { } segment) continue;
            var end = segment.EndOffset == 0 ? openSegmentBytes : segment.EndOffset;
            var start = newest is not null && newest.SegmentId == id ? newest.To : LogSegmentHeader.SizeBytes;
            lag += Math.Max(0, end - start);
        }

        return lag;
    }

    /// <summary>Archives what is durable, on this thread.</summary>
    /// <exception cref="AshlarException">What kept it from that.</exception>
    public void RunNow()
    {
        if (RunOnce() is { } cause) throw cause;
    }

    /// <summary>Archives the rest of the log, which is sealed by now; if that fails it stays and is archived after the next opening.</summary>
    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            isStopping = true;
            Monitor.PulseAll(gate);
        }

        thread?.Join();
        if (Failure is not null) RunOnce(); // Perhaps it works now.
        RunOnce(isLast: true);
        lock (passGate) Detach();
    }

    void Tick()
    {
        if (thread is not null) Signal(tick: true);
        else RunTick();
    }

    void Signal(bool tick)
    {
        lock (gate)
        {
            isWoken = true;
            isTick |= tick;
            Monitor.PulseAll(gate);
        }
    }

    void Run()
    {
        while (true)
        {
            bool tick;
            lock (gate)
            {
                while (!isWoken && !isStopping) Monitor.Wait(gate);
                if (isStopping) return;
                (isWoken, tick, isTick) = (false, isTick, false);
            }

            if (tick) RunTick();
            else RunOnce();
        }
    }

    // What nobody flushed is archived too: the interval is promised for every write.
    void RunTick()
    {
        try
        {
            sync();
        }
        catch (Exception cause) when (cause is StorePoisonedException or ObjectDisposedException)
        {
        }

        RunOnce();
    }

    Exception? RunOnce(bool isLast = false)
    {
        lock (passGate)
        {
            try
            {
                var begun = options.TimeProvider.GetUtcNow();
                if (held is null) Attach();
                if (options.PlantedBug == PlantedBug.ReleaseLogBeforeArchive) ReleaseEverything();
                var complete = ArchiveLogs();
                ReleaseLogs(isLast);
                lock (gate) (completeAt, completeSequence) = (begun, complete);
                Volatile.Write(ref failure, null);
                return null;
            }
            catch (Exception cause) when (cause is AshlarException)
            {
                Detach();
                Volatile.Write(ref failure, cause);
                return cause;
            }
        }
    }

    void Detach()
    {
        held?.Dispose();
        held = null;
        newest = null;
    }

    /// <summary>Takes the archive, and finds out how far it goes and that it is this store's.</summary>
    void Attach()
    {
        var fileSystem = directory.FileSystem;
        if (!fileSystem.DirectoryExists(directory.Path)) KeyValueStore.CreateDirectory(fileSystem, directory.Path);
        held = fileSystem.Lock(directory.LockPath);
        if (!fileSystem.FileExists(directory.PruneLockPath)) fileSystem.Open(directory.PruneLockPath, FileOpenMode.OpenOrCreate).Dispose();
        directory.DeleteLeftovers();
        var parts = directory.Files();
        ArchivePosition known;
        lock (manifest.Gate) known = manifest.State.Archive ?? throw Ended();
        if (parts.Count == 0)
        {
            // Very likely a disk that is not mounted; a new archive here would leave a gap that nobody sees.
            if (known.Part != 0)
                throw Problem(LogArchiveProblem.Gap, $"the archive is empty, but the store has written {known.Part} parts of it; is its disk mounted?");
            newest = null;
            SetPosition(known);
            return;
        }

        // The name may have been left in doubt by a sync that failed.
        fileSystem.SyncDirectory(directory.Path);
        var last = directory.ReadHead(parts[^1]);
        if (parts.Count > 1 && parts[^2].Number == last.Number)
            throw Problem(LogArchiveProblem.Foreign, $"there are two parts with number {last.Number}: {parts[^2].Name} and {parts[^1].Name}");
        if (last.StoreId != files.StoreId)
            throw Problem(LogArchiveProblem.Foreign, $"this is the archive of store {last.StoreId}, not of {files.StoreId}");
        if (last.HistoryId != manifest.HistoryId)
            throw Problem(
                LogArchiveProblem.Foreign, "this is the archive of the store that this one was restored from, or of another copy; a restored store has an archive of its own");
        if (last.Number < known.Part)
            throw Problem(LogArchiveProblem.Gap, $"the archive ends with part {last.Number}, but the store has written part {known.Part}");
        if (last.Number == known.Part ? last.Crc != known.PartCrc : !IsOurs(last, known.ThroughLog))
            throw Problem(
                LogArchiveProblem.Foreign, $"part {last.Number} holds writes up to sequence {last.LastSequence} that this store does not have: a copy of it has archived here");
        newest = last;
        SetPosition(new ArchivePosition(Math.Max(known.ThroughLog, last.SegmentId - 1), last.LastSequence, last.Number, last.Crc));
        if (last.Number == known.Part) SetPosition(known);
    }

    // Parts that the manifest does not know are of segments that it keeps. A segment grows only while the process that created it
    // has it open: a copy of the store goes on with another one.
    bool IsOurs(ArchivePart part, ulong throughLog)
    {
        if (part.SegmentId <= throughLog) return false;
        lock (manifest.Gate)
        {
            var isListed = manifest.State.Logs.ContainsKey(part.SegmentId) || manifest.State.Segments.ContainsKey(part.SegmentId);
            return isListed && values.TryFind(part.SegmentId) is { } segment && segment.Nonce == part.Nonce
                && (segment.EndOffset == 0 || part.To <= segment.EndOffset);
        }
    }

    /// <summary>Archives what is durable; gives the sequence up to which that is.</summary>
    ulong ArchiveLogs()
    {
        // Asked before the segments are listed: what is durable lies in one that is.
        var durable = durableSequence();
        var segments = TakeUnarchived();
        try
        {
            foreach (var segment in segments)
            {
                var end = segment.EndOffset; // 0 while it is being written.
                ArchiveSegment(segment, end, durable);
                if (end == 0) break;
                SetPosition(position with { ThroughLog = segment.Id });
            }
        }
        finally
        {
            foreach (var segment in segments) segment.Release();
        }

        if (position.LastSequence < durable && durable > recoveredSequence)
            throw new CorruptDataException(
                files.LogPath(position.ThroughLog + 1), 0, $"the log should hold sequence {durable}, but it ends at {position.LastSequence}");
        return durable;
    }

    /// <summary>Segments that the archive does not have as a whole, oldest first; one that is listed is held.</summary>
    List<ValueSegment> TakeUnarchived()
    {
        var segments = new List<ValueSegment>();
        lock (manifest.Gate)
        {
            var state = manifest.State;
            var ids = state.Segments.Values.Where(segment => segment.Origin == SegmentOrigin.Log).Select(segment => segment.Id)
                .Concat(state.Logs.Keys).Where(id => id > position.ThroughLog).Distinct().Order();
            foreach (var id in ids)
            {
                // One that was listed just now is not there yet, and nothing was written to it.
                if (values.TryFind(id) is not { } segment || !segment.TryAcquire()) break;
                segments.Add(segment);
            }
        }

        return segments;
    }

    void ArchiveSegment(ValueSegment segment, long end, ulong durable)
    {
        var continues = newest is not null && newest.SegmentId == segment.Id && newest.Nonce == segment.Nonce;
        var header = new LogSegmentHeader(files.StoreId, segment.Id, segment.Nonce);
        var length = end == 0 ? segment.File.LengthBytes : end;
        var walk = new LogGroupWalk(
            segment.File, length, header, continues ? newest!.To : LogSegmentHeader.SizeBytes, 0, continues ? newest!.EndHeadCrc : 0);
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
                From = walk.Offset,
                AfterSequence = position.LastSequence,
            },
            options.PlantedBug);
        while (end == 0 || walk.Offset < end)
        {
            var offset = walk.Offset;
            if (!walk.TryRead(out var group, out var bytes))
            {
                if (end == 0) break; // It is being written.
                throw new CorruptDataException(segment.File.Path, offset, $"a group does not hold, but the segment goes on to byte {end}");
            }

            if (group.Kind != LogGroupKind.Entries) break;
            var isDurable = end != 0 || group.FirstSequence + (ulong)group.Count - 1 <= durable;
            if (!isDurable && options.PlantedBug != PlantedBug.ArchiveBeforeSync) break;
            writer.Add(group, bytes);
        }

        if (!writer.HasContent) return;
        newest = writer.Finish(options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() * 1000);
        SetPosition(position with { LastSequence = newest.LastSequence, Part = newest.Number, PartCrc = newest.Crc });
        Volatile.Write(ref partsWritten, partsWritten + 1);
    }

    // Crash order: the parts are durable. Before the edit is, the segments stay listed; after it, their files are leftovers.
    void ReleaseLogs(bool isLast)
    {
        List<ulong> dropped;
        lock (manifest.Gate)
        {
            if (poison.IsSet || manifest.IsInDoubt) return;
            if (manifest.State.Archive is not { } known) throw Ended();
            var isWorthIt = isLast
                ? known != position
                : manifest.State.Segments.Values.Any(one => manifest.State.AwaitsArchive(one.Id, one.Origin) && one.Id <= position.ThroughLog);
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

    // A planted bug, for tests of the tests.
    void ReleaseEverything()
    {
        lock (manifest.Gate)
        {
            if (poison.IsSet || manifest.State.Logs.Count == 0) return;
            foreach (var id in manifest.Append(new ManifestEdit { Archive = position with { ThroughLog = manifest.State.Logs.Keys.Max() } }))
                values.Retire(id);
        }
    }

    void SetPosition(in ArchivePosition value)
    {
        lock (gate) position = value;
    }

    LogArchiveException Ended() => Problem(LogArchiveProblem.Gap, "archiving has ended");

    LogArchiveException Problem(LogArchiveProblem problem, string description) => new(directory.Path, problem, description);
}
