using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Restore;

/// <summary>Restores a store as it was at one moment.</summary>
/// <remarks>
/// <para>The backup is copied, opened under a manifest whose name does not count, and the archived writes are written to it as
/// any others, in their groups and with their sequences; so memory is bounded, tables are merged, and what comes out is a store like
/// any other.</para>
/// <para>Crash order: everything is durable, read back and checked; then the manifest gets its name
/// (<see cref="RestoreTarget"/>).</para>
/// </remarks>
sealed class PointInTimeRestore(KeyValueBackups backups, LogArchive archive, KeyValueOptions options, RestorePoint point)
{
    readonly ArchiveDirectory directory = archive.Directory;
    readonly WriteBatch batch = new() { IsOfEngine = true };
    ulong sequence;
    long commitTime;
    int parts;
    long bytesApplied;

    public RestoredPoint Run(string target)
    {
        var chain = ArchiveChain.Read(directory);
        var newest = chain.Newest ?? throw chain.Links.FirstOrDefault()?.Damage ?? NotCovered("the archive is empty");
        var (record, content) = ChooseBackup(newest);
        var needed = Plan(chain, record);
        (sequence, commitTime) = (record.Sequence, record.CommitTime);
        var historyId = Guid.Empty;
        RestoreTarget.Run(directory.FileSystem, target, path =>
        {
            backups.CopyTo(record, path);
            var files = new RestoringFiles(directory.FileSystem, path, options.MaxOpenFiles);
            using var store = KeyValueStore.Open(files, Settings());
            historyId = store.HistoryId;
            Replay(needed, content, store);
            store.Flush();
            var report = store.Verify();
            if (!report.IsClean) throw report.Problems[0];
        });
        return new RestoredPoint
        {
            BackupNumber = record.Number,
            Sequence = sequence,
            CommittedAt = CommitTime.ToTime(commitTime),
            Parts = parts,
            ArchiveBytes = bytesApplied,
            HistoryId = historyId,
        };
    }

    KeyValueOptions Settings() => options with
    {
        FileSystem = directory.FileSystem,
        ReadOnly = false,
        CreateIfMissing = false,
        LogArchiveDirectory = null,
        SpaceReserveBytes = 0,
        MaxKeyBytes = KeyValueOptions.KeyLimitBytes,
        MaxValueBytes = KeyValueOptions.ValueLimitBytes,
    };

    // Damaged records are passed over: an older backup and more of the archive give the same.
    (BackupRecord Record, ManifestState Content) ChooseBackup(ArchivePart newest)
    {
        var numbers = backups.Directory.Numbers();
        AshlarException? damage = null;
        for (var i = numbers.Count - 1; i >= 0; i--)
        {
            try
            {
                var record = backups.Directory.ReadRecord(numbers[i]);
                if (record.StoreId != newest.StoreId || !point.Includes(record.Sequence, record.CommitTime)) continue;
                var content = backups.ReadManifest(record);
                if ((content.HistoryId ?? record.StoreId) == newest.HistoryId) return (record, content);
            }
            catch (CorruptDataException problem)
            {
                damage ??= problem;
            }
        }

        throw damage ?? NotCovered(
            $"in {backups.Directory.Path} is no backup of this history of store {newest.StoreId} that is not newer than {point}");
    }

    /// <summary>The parts to read. Everything that their heads tell is checked before anything is written.</summary>
    List<ArchiveLink> Plan(ArchiveChain chain, BackupRecord backup)
    {
        var needed = new List<ArchiveLink>();
        ArchiveLink? before = null;
        if (point.Sequence == backup.Sequence) return needed;
        foreach (var link in chain.Links)
        {
            // A part that the backup holds as a whole is not needed, whatever is wrong with it.
            if (needed.Count == 0 && (link.Part is null || link.Part.LastSequence <= backup.Sequence))
            {
                before = link;
                continue;
            }

            if (needed.Count == 0 && before is { Part: null } && link.Part!.AfterSequence > backup.Sequence) throw before.Damage!;
            if (needed.Count == 0 && link.Part!.AfterSequence > backup.Sequence)
            {
                throw before is not null && chain.FindBreak(before, link) is { } broken ? broken : new LogArchiveException(
                    directory.Path, LogArchiveProblem.Gap,
                    $"part {link.File.Number - 1} and those before it are missing: the archive holds writes after sequence "
                        + $"{link.Part.AfterSequence}, backup {backup.Number} only those up to {backup.Sequence}");
            }

            if (needed.Count > 0 && IsPassedBy(needed[^1].Part!)) return needed;
            if (link.Part is null) throw link.Damage!;
            if (needed.Count > 0 && chain.FindBreak(needed[^1], link) is { } gap) throw gap;
            if (!point.Includes(link.Part.FirstSequence, link.Part.FirstCommitTime)) return needed;
            needed.Add(link);
        }

        var (last, time) = needed.Count == 0
            ? (backup.Sequence, backup.CommitTime)
            : (needed[^1].Part!.LastSequence, needed[^1].Part!.LastCommitTime);
        if (chain.Links[^1].Damage is { } damage && (point == RestorePoint.Latest || !ReachesPoint(last, time))) throw damage;
        if (!ReachesPoint(last, time))
            throw NotCovered(
                $"the archive ends with sequence {last}, committed at {CommitTime.ToTime(time):yyyy-MM-dd HH:mm:ss.ffffff}Z, before "
                    + $"{point}");
        return needed;
    }

    // Nothing behind the part can belong to the moment.
    bool IsPassedBy(ArchivePart part) =>
        part.LastSequence >= point.Sequence || (point.Time is { } time && part.LastCommitTime > CommitTime.Of(time));

    bool ReachesPoint(ulong last, long time) => point.Sequence is { } wanted ? last >= wanted
        : point.Time is not { } moment || time >= CommitTime.Of(moment);

    void Replay(List<ArchiveLink> needed, ManifestState content, KeyValueStore store)
    {
        var reader = new ArchiveReader(directory);
        foreach (var link in needed)
        {
            RequireSameSegment(link.Part!, content);
            parts++;
            if (!reader.Read(link, (in LogGroup group) => Apply(group, link, store))) break;
        }

        store.Sync();
    }

    bool Apply(in LogGroup group, ArchiveLink link, KeyValueStore store)
    {
        var (header, last) = (group.Header, group.Header.LastSequence);
        if (last <= sequence) return true; // The backup has it.
        if (!point.Includes(last, header.CommitTime)) return false;
        if (header.FirstSequence <= sequence)
            throw new LogArchiveException(
                directory.Path, LogArchiveProblem.Foreign,
                $"in part {link.File.Number} the writes around sequence {sequence} are others than in the backup: it is of a copy of the "
                    + "store");
        store.SkipThrough(header.FirstSequence - 1);
        batch.Clear();
        for (var entries = group.Entries; entries.MoveNext();) batch.Add(new WriteBatchEntry(entries.Bytes));
        store.ReserveKeyspacesIfIn(batch);
        store.Write(batch, Durability.Unflushed);
        Invariant.Require(store.VisibleSequence == last);
        batch.Trim(LogGroupLimit.Bytes);
        (sequence, commitTime) = (last, header.CommitTime);
        bytesApplied += group.Bytes.Length;
        return true;
    }

    // Copies of a store that both went on may have segments of one number, but not of one nonce.
    void RequireSameSegment(ArchivePart part, ManifestState content)
    {
        var nonce = content.Logs.TryGetValue(part.SegmentId, out var log) ? log.Nonce
            : content.Segments.TryGetValue(part.SegmentId, out var segment) ? segment.Nonce
            : part.Nonce;
        if (nonce != part.Nonce)
            throw new LogArchiveException(
                directory.Path, LogArchiveProblem.Foreign,
                $"part {part.Number} is of another segment {part.SegmentId} than that of the backup: it is of a copy of the store");
    }

    LogArchiveException NotCovered(string description) => new(directory.Path, LogArchiveProblem.NotCovered, description);
}
