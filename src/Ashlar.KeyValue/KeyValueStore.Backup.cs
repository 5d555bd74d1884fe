using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>
    /// Makes a backup while reading and writing go on. It holds every write that returned before this call, and perhaps some that
    /// came later, but always a prefix of history. Manage backups with <see cref="KeyValueBackups"/>.
    /// </summary>
    /// <param name="directory">The directory of backups, on the store's file system; it is created when missing.</param>
    /// <param name="mode">Whether files are shared with earlier backups of this store.</param>
    /// <exception cref="ArgumentException">The directory and that of the store, or the archive of its log, lie in each other.</exception>
    /// <exception cref="LockedException">Another backup is being made there, or one is read or deleted.</exception>
    /// <exception cref="CorruptDataException">A file of the store, or a copy that was read back, is damaged.</exception>
    /// <exception cref="StorageException">
    /// The disk refused. The store goes on, earlier backups are as they were.
    /// </exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public BackupInfo BackUp(string directory, BackupMode mode = BackupMode.Incremental)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        EnumArgument.RequireDefined(mode);
        ThrowIfClosed();
        using var pending = BeginBackup();
        return pending.Write(directory, mode);
    }

    /// <summary>
    /// Begins a backup: holds the store as it is, every write that returned before this call included, and copies nothing yet. For
    /// backups of several stores at one moment; <see cref="BackUp"/> is enough for one.
    /// </summary>
    /// <exception cref="StorageException">The disk refused. The store goes on.</exception>
    /// <exception cref="CorruptDataException">The log is damaged.</exception>
    /// <exception cref="StorePoisonedException">What is on disk is in doubt.</exception>
    public PendingBackup BeginBackup()
    {
        ThrowIfClosed();
        if (!options.ReadOnly) Sync();
        return new PendingBackup(
            this, BackupSource.Take(files, manifest, recoveredEnd, recoveredSequence, () => DurableSequence));
    }

    internal BackupInfo WriteBackup(string directory, BackupSource source, BackupMode mode)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        EnumArgument.RequireDefined(mode);
        ThrowIfClosed();
        var target = new BackupDirectory(files.FileSystem, StoreDirectory.FullPath(directory));
        files.FileSystem.RequireApart(files.Directory, target.Path, nameof(directory));
        if (options.LogArchiveDirectory is { } archive
            && FileSystemExtensions.OverlapAsWritten(StoreDirectory.FullPath(archive), target.Path))
            throw new ArgumentException($"{target.Path} is where the store archives its log; take another directory.", nameof(directory));
        files.FileSystem.CreateDirectories(target.Path);
        using var held = target.LockForWriting();
        return new BackupWriter(target, files, options, mode, VerifyCopies).Run(source);
    }

    /// <summary>Opens a backup as the store that it is.</summary>
    internal static KeyValueStore OpenBackup(BackupFiles files, KeyValueOptions options) =>
        Open(files, options with { ReadOnly = true, FileSystem = files.FileSystem });

    (ulong Sequence, long CommitTime) VerifyCopies(BackupFiles copies, Predicate<ulong> isTableChecked)
    {
        using var backup = OpenBackup(copies, options);
        var report = backup.VerifyTables(isTableChecked);
        if (!report.IsClean) throw report.Problems[0];
        return (backup.VisibleSequence, backup.LastCommitTime);
    }

    /// <summary>Commit time of the newest group that recovery found, in microseconds since 1970.</summary>
    internal long LastCommitTime { get; }
}
