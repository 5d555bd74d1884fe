using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Commit;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Archives every write that returned before this call, without waiting for <see cref="KeyValueOptions.LogArchiveInterval"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The store was opened without an archive, or it was ended.</exception>
    /// <exception cref="LogArchiveException">The directory holds the archive of something else, or has lost parts.</exception>
    /// <exception cref="LockedException">Another store archives there.</exception>
    /// <exception cref="StorageException">The disk of the archive refused. The log stays where it is, and is archived later.</exception>
    /// <exception cref="CorruptDataException">The log, or the newest part of the archive, is damaged.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    /// <exception cref="InvariantException">
    /// A bug of the engine, now or earlier: nothing is archived before the store is opened anew. A bug that no invariant has caught is
    /// thrown as what it is, and means the same.
    /// </exception>
    public void ArchiveLog()
    {
        if (archiver is null)
            throw new InvalidOperationException(
                $"{files.Directory}: the store was opened without {nameof(KeyValueOptions.LogArchiveDirectory)}.");
        archiver.ThrowIfEnded();
        Sync();
        ArchiveDurableLog();
    }

    /// <summary>What the archive's thread does now and then: archives what is durable by itself.</summary>
    internal void ArchiveDurableLog() => archiver!.RunNow();

    /// <summary>
    /// Ends the archive of the log: what only waited to be archived may go, and the archive cannot be continued. A part that is being
    /// written is waited for; nothing is archived afterwards. Nothing happens if there is no archive. A new one needs another directory,
    /// and begins when the store is opened with it.
    /// </summary>
    /// <exception cref="ReadOnlyStoreException">The store is open for reading only.</exception>
    /// <exception cref="StorageException">The disk refused; archiving goes on.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public void EndLogArchive()
    {
        ThrowIfUnwritable();
        if (archiver is null) ForgetArchive();
        else archiver.End(ForgetArchive);
    }

    // With the segments that only the archive needed.
    void ForgetArchive()
    {
        List<ulong> dropped;
        using (manifest.Gate.Hold())
        {
            poison.ThrowIfSet();
            if (manifest.State.Archive is null) return;
            try
            {
                dropped = manifest.Append(new ManifestEdit { ArchiveEnded = true });
            }
            catch (Exception cause) when (manifest.IsInDoubt)
            {
                poison.Set(cause);
                throw poison.ToException();
            }
        }

        foreach (var id in dropped) values.Retire(id);
    }

    /// <summary>Gives out no sequence up to this one; only a restore may ask for it.</summary>
    internal void SkipThrough(ulong sequence) => committer.SkipThrough(sequence);

    LogArchiver? CreateArchiver() => options.LogArchiveDirectory is null || options.ReadOnly
        ? null
        : new LogArchiver(
            new ArchivedStore(files, options, manifest, values, poison, recoveredSequence),
            () => DurableSequence,
            () =>
            {
                if (DurableSequence < VisibleSequence) commits.Run(CommitRequest.Write, null, Durability.Sync);
            });

    // Under the manifest's gate.
    long MeasureArchiveLag(out ulong archivedSequence)
    {
        archivedSequence = 0;
        if (manifest.State.Archive is not { } known) return 0;
        var progress = archiver?.Progress;
        archivedSequence = progress?.ArchivedSequence ?? known.LastSequence;
        return UnarchivedLog.Measure(
            manifest.State, values, progress?.Newest, Math.Max(known.ThroughLog, progress?.Position.ThroughLog ?? 0),
            committer.End.EndOffset);
    }
}
