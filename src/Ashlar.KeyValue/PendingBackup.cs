using Ashlar.KeyValue.Backup;

namespace Ashlar.KeyValue;

/// <summary>
/// A backup that was begun: the store as it was at one moment, with its files held, not yet copied. Whoever has several stores begins a
/// backup of each, makes sure that it is of one moment, and copies afterwards. Dispose it.
/// </summary>
/// <remarks>Until then the disk space of its files is not given back. It is of no use once the store is closed.</remarks>
public sealed class PendingBackup : IDisposable
{
    readonly KeyValueStore store;
    readonly BackupSource source;

    internal PendingBackup(KeyValueStore store, BackupSource source)
    {
        this.store = store;
        this.source = source;
    }

    /// <summary>It holds every write up to this sequence, and none behind it.</summary>
    public ulong Sequence => source.Sequence;

    /// <summary>Makes the backup; <see cref="KeyValueStore.BackUp"/> does this and what precedes it in one.</summary>
    /// <param name="directory">The directory of backups, on the store's file system; it is created when missing.</param>
    /// <param name="mode">Whether files are shared with earlier backups of this store.</param>
    /// <exception cref="ObjectDisposedException">It is disposed, or its store is closed.</exception>
    /// <inheritdoc cref="KeyValueStore.BackUp" path="/exception" />
    public BackupInfo Write(string directory, BackupMode mode = BackupMode.Incremental)
    {
        ObjectDisposedException.ThrowIf(source.IsDisposed, this);
        return store.WriteBackup(directory, source, mode);
    }

    /// <summary>Lets go of the files.</summary>
    public void Dispose() => source.Dispose();
}
