using Ashlar.KeyValue.Archive;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// An archive of a store's log (<see cref="KeyValueOptions.LogArchiveDirectory"/>): lists, checks and prunes it. The store may be
/// archiving meanwhile. <see cref="KeyValueBackups.Restore(RestorePoint, LogArchive, string)"/> restores with it.
/// </summary>
public sealed class LogArchive
{
    readonly ArchiveDirectory directory;

    /// <summary>Names the directory; nothing is read yet.</summary>
    /// <param name="directory">The archive.</param>
    /// <param name="options">The disk; null is <see cref="KeyValueOptions.Default"/>.</param>
    public LogArchive(string directory, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options?.Validate();
        this.directory = new ArchiveDirectory(
            options?.FileSystem ?? FileSystems.Real, StoreDirectory.FullPath(directory));
    }

    internal ArchiveDirectory Directory => directory;

    /// <summary>Reads the heads of all parts: what is covered, and what is missing.</summary>
    /// <exception cref="StorageException">The directory is missing, or cannot be read.</exception>
    public LogArchiveReport Inspect() => Report(checksContent: false);

    /// <summary>Reads the whole archive and checks every part, every group in it, and that they follow each other.</summary>
    /// <exception cref="StorageException">The directory is missing, or cannot be read.</exception>
    public LogArchiveReport Verify()
    {
        using var held = LockForReading();
        return Report(checksContent: true);
    }

    /// <summary>
    /// Deletes the parts that no backup needs: those that the oldest backup of the archive's history holds as a whole. The newest part
    /// stays. Without such a backup nothing is deleted.
    /// </summary>
    /// <param name="backups">The backups that are kept.</param>
    /// <returns>The parts that were deleted.</returns>
    /// <exception cref="LockedException">A restore reads the archive.</exception>
    /// <exception cref="CorruptDataException">
    /// A backup's record, or a part, is damaged: nobody can say what it needs. Nothing was deleted.
    /// </exception>
    /// <exception cref="StorageException">The disk refused.</exception>
    public IReadOnlyList<ArchivedPart> Prune(KeyValueBackups backups)
    {
        ArgumentNullException.ThrowIfNull(backups);
        directory.FileSystem.RequireDirectory(directory.Path, "archive of a log");
        using var held = LockForDeleting();
        var chain = ArchiveChain.Read(directory);
        if (chain.Newest is not { } newest || OldestSequence(backups, newest) is not { } oldest) return [];
        var deleted = new List<ArchivedPart>();
        // Oldest first: what is left after a crash has no gap.
        foreach (var link in chain.Links)
        {
            if (link.Part is not { } part) throw link.Damage!;
            if (part.LastSequence > oldest || part.Number == newest.Number) break;
            directory.FileSystem.Delete(directory.PathOf(link.File.Name));
            directory.FileSystem.SyncDirectory(directory.Path);
            deleted.Add(link.Describe(directory));
        }

        return deleted;
    }

    /// <summary>Keeps parts from being deleted meanwhile. An archive that cannot be written has no lock and needs none.</summary>
    internal IDisposable? LockForReading() => directory.FileSystem.FileExists(directory.PruneLockPath)
        ? directory.FileSystem.LockShared(directory.PruneLockPath)
        : null;

    IDisposable LockForDeleting()
    {
        try
        {
            return directory.FileSystem.Lock(directory.PruneLockPath);
        }
        catch (LockedException locked)
        {
            throw new LockedException(locked.Path, locked.OwnerProcessId, "the archive is being read, or pruned,");
        }
    }

    static ulong? OldestSequence(KeyValueBackups backups, ArchivePart newest)
    {
        ulong? oldest = null;
        foreach (var number in backups.Directory.Numbers())
        {
            var record = backups.Directory.ReadRecord(number);
            if (record.StoreId != newest.StoreId) continue;
            if ((backups.ReadManifest(record).HistoryId ?? record.StoreId) != newest.HistoryId) continue;
            oldest = Math.Min(oldest ?? ulong.MaxValue, record.Sequence);
        }

        return oldest;
    }

    LogArchiveReport Report(bool checksContent)
    {
        var chain = ArchiveChain.Read(directory);
        var problems = new List<AshlarException>();
        ArchiveLink? before = null;
        var reader = new ArchiveReader(directory);
        foreach (var link in chain.Links)
        {
            if (link.Part is null) problems.Add(link.Damage!);
            else if (before is not null && chain.FindBreak(before, link) is { } broken) problems.Add(broken);
            before = link;
            if (!checksContent || link.Part is null) continue;
            try
            {
                reader.Read(link, null);
            }
            catch (Exception damage) when (damage is CorruptDataException or LogArchiveException)
            {
                problems.Add((AshlarException)damage);
            }
        }

        var sound = chain.Links.Where(link => link.Part is not null).Select(link => link.Part!).ToArray();
        return new LogArchiveReport
        {
            Parts = [.. chain.Links.Select(link => link.Describe(directory))],
            StoreId = chain.Newest?.StoreId,
            HistoryId = chain.Newest?.HistoryId,
            AfterSequence = sound.Length == 0 ? 0 : sound[0].AfterSequence,
            LastSequence = sound.Length == 0 ? 0 : sound[^1].LastSequence,
            Problems = problems,
        };
    }
}
