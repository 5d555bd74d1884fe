using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Restore;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A directory of backups that <see cref="KeyValueStore.BackUp"/> has made: lists, verifies, restores and deletes them. One call
/// at a time changes it; a lock file sees to that.
/// </summary>
public sealed class KeyValueBackups
{
    readonly KeyValueOptions options;
    readonly BackupDirectory directory;

    /// <summary>Names the directory; nothing is read yet.</summary>
    /// <param name="directory">The directory of backups.</param>
    /// <param name="options">Disk and clock; null is <see cref="KeyValueOptions.Default"/>.</param>
    public KeyValueBackups(string directory, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        this.options = options ?? KeyValueOptions.Default;
        this.options.Validate();
        this.directory = new BackupDirectory(
            this.options.FileSystem ?? FileSystems.Real, StoreDirectory.FullPath(directory));
    }

    /// <summary>All backups, oldest first. One whose record is damaged is listed as such.</summary>
    /// <exception cref="StorageException">The directory is missing, or cannot be read.</exception>
    public IReadOnlyList<BackupInfo> List()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var result = new List<BackupInfo>();
        foreach (var (number, record, damage) in directory.ReadRecords())
        {
            result.Add(record is null
                ? new BackupInfo { Number = number, Damage = damage }
                : BackupInfo.Of(record, record.Files.Where(file => seen.Add(file.StoredName)).Sum(file => file.LengthBytes)));
        }

        return result;
    }

    /// <summary>Reads a whole backup and checks it: every file against its checksum, and then as a store.</summary>
    /// <exception cref="StorageException">There is no such backup, or the disk refused.</exception>
    /// <exception cref="CorruptDataException">The record of the backup is damaged.</exception>
    public VerificationReport Verify(ulong number)
    {
        using var held = directory.LockForReading();
        var record = directory.ReadRecord(number);
        var problems = new List<CorruptDataException>();
        foreach (var file in record.Files)
        {
            try
            {
                CheckFile(file, null);
            }
            catch (CorruptDataException problem)
            {
                problems.Add(problem);
            }
        }

        if (problems.Count > 0) return new VerificationReport { Problems = problems };
        try
        {
            using var store = KeyValueStore.OpenBackup(directory.Assemble(record.StoreId, record.Files), options);
            return store.Verify();
        }
        catch (CorruptDataException problem)
        {
            return new VerificationReport { Problems = [problem] };
        }
    }

    /// <summary>
    /// Writes the store of a backup into an empty directory; open it there as usual. It keeps the identity of the store it was
    /// made of, because that is part of every checksum in its files, but has a history of its own
    /// (<see cref="KeyValueStore.HistoryId"/>).
    /// </summary>
    /// <param name="number">The backup.</param>
    /// <param name="target">A directory that is empty or missing.</param>
    /// <exception cref="StorageException">
    /// There is no such backup, the target is not empty (<see cref="StorageErrorKind.AlreadyExists"/>), or the disk refused.
    /// </exception>
    /// <exception cref="CorruptDataException">A file of the backup is damaged. What was written is deleted again.</exception>
    public void Restore(ulong number, string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        using var held = directory.LockForReading();
        var record = directory.ReadRecord(number);
        RestoreTarget.Run(
            directory.FileSystem, StoreDirectory.FullPath(target), path => CopyTo(record, path));
    }

    /// <summary>
    /// Restores a store as it was at one moment: the newest backup that is not newer, and from an archive of the log what was written
    /// after it. The new store is read back whole and checked before it counts. It has a history of its own: back it up, and give it an
    /// archive of its own.
    /// </summary>
    /// <param name="point">Which moment; a group of writes that were committed together is restored as a whole or not at all.</param>
    /// <param name="archive">The archive of the same store.</param>
    /// <param name="target">A directory that is empty or missing, on the same file system.</param>
    /// <exception cref="LogArchiveException">
    /// No backup is old enough, a part of the archive is missing, or it ends before that moment. Nothing was written.
    /// </exception>
    /// <exception cref="CorruptDataException">A file of backup or archive is damaged. What was written is deleted again.</exception>
    /// <exception cref="StorageException">
    /// The target is not empty (<see cref="StorageErrorKind.AlreadyExists"/>), or the disk refused.
    /// </exception>
    public RestoredPoint Restore(RestorePoint point, LogArchive archive, string target)
    {
        ArgumentNullException.ThrowIfNull(archive);
        ArgumentException.ThrowIfNullOrEmpty(target);
        using var held = directory.LockForReading();
        using var heldArchive = archive.LockForReading();
        return new PointInTimeRestore(this, archive, options, point).Run(StoreDirectory.FullPath(target));
    }

    internal BackupDirectory Directory => directory;

    /// <summary>Copies a backup; its manifest, of a new history, gets a name that does not count.</summary>
    internal void CopyTo(BackupRecord record, string target)
    {
        foreach (var file in record.Files)
        {
            if (file.Name == StoreFiles.ManifestName) CheckFile(file, null);
            else CheckFile(file, $"{target}/{file.Name}");
        }

        var edit = ReadManifest(record).ToCopy();
        edit.HistoryId = options.Entropy.NextGuid();
        using var manifest = directory.FileSystem.Open($"{target}/{RestoreTarget.NewManifestName}", FileOpenMode.CreateNew);
        manifest.Write(Manifest.Encode(record.StoreId, edit), 0);
        manifest.Sync();
    }

    /// <summary>What a backup consists of.</summary>
    internal ManifestState ReadManifest(BackupRecord record)
    {
        var files = new BackupFiles(directory.FileSystem, directory.Path, record.StoreId, record.Files);
        using var manifest = Manifest.Read(files, options with { ReadOnly = true });
        return manifest.State;
    }

    /// <summary>Deletes a backup, and those of its files that no other backup needs.</summary>
    /// <exception cref="StorageException">There is no such backup, or the disk refused.</exception>
    public void Delete(ulong number)
    {
        directory.FileSystem.RequireDirectory(directory.Path, "directory of backups");
        using var held = directory.LockForWriting();
        // Crash order: without its record the backup is gone; its files are leftovers then.
        directory.Remove(number);
        directory.DeleteLeftovers();
    }

    /// <summary>Checks a file, and copies it where a target is given.</summary>
    void CheckFile(BackupFile file, string? target)
    {
        var path = directory.PathOf(file.StoredName);
        if (!directory.FileSystem.FileExists(path))
            throw new CorruptDataException(path, 0, "the backup needs this file, but it is missing");
        using var stored = directory.FileSystem.Open(path, FileOpenMode.ReadOnly);
        var length = stored.LengthBytes;
        if (length != file.LengthBytes)
            throw new CorruptDataException(path, length, $"the backup says {file.LengthBytes} bytes, the file has {length}");
        var crc = target is null
            ? FileCopy.Checksum(stored, length)
            : FileCopy.Run(stored, length, directory.FileSystem, target);
        if (crc != file.Crc)
            throw new CorruptDataException(path, 0, $"checksum mismatch: expected {file.Crc:x8}, found {crc:x8}");
    }
}
