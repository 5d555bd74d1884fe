using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Syncs of directories in groups: those who come while one is under way are served by the next, each directory once, however many wait.
/// </summary>
/// <param name="files">The disk.</param>
sealed class DirectorySyncs(IFileSystem files)
{
    readonly object gate = new(); // A monitor: it is waited on.
    Batch gathering = new();
    bool isSyncing;
    ExceptionDispatchInfo? broken; // Of whoever leads.

    /// <summary>Syncs that were made, and those that were asked for.</summary>
    public (long Made, long Asked) Counts { get; private set; }

    /// <summary>
    /// Makes what was changed before the call durable: names in two directories, for what is renamed may need both, and often is on the
    /// medium with the first.
    /// </summary>
    /// <exception cref="StorageException">
    /// The sync failed, or one before it: what was changed may be durable or not, and no later sync tells.
    /// </exception>
    public void Sync(string one, string other)
    {
        Batch mine;
        lock (gate)
        {
            // Invariant: a batch is closed before its first sync begins, so that whoever is in it changed its names before that.
            mine = gathering;
            mine.Directories.Add(one);
            mine.Directories.Add(other);
            Counts = (Counts.Made, Counts.Asked + 2);
            while (isSyncing && !mine.IsDone) Monitor.Wait(gate);
            if (!mine.IsDone)
            {
                isSyncing = true;
                gathering = new Batch();
            }
        }

        if (!mine.IsDone) Lead(mine);
        if (mine.Failures.TryGetValue(one, out var failure) || mine.Failures.TryGetValue(other, out failure)) failure.Throw();
    }

    void Lead(Batch batch)
    {
        foreach (var directory in batch.Directories)
        {
            try
            {
                // Invariant: a disk says once that it has lost something. So nobody who comes later is told that all is well, also of
                // another directory, and nothing is asked of it any more.
                broken?.Throw();
                files.SyncDirectory(directory);
            }
            catch (Exception failure)
            {
                // Whatever it is, those who wait have to hear of it, and the next group has to begin.
                broken ??= ExceptionDispatchInfo.Capture(failure);
                batch.Failures[directory] = broken;
            }
        }

        lock (gate)
        {
            Counts = (Counts.Made + batch.Directories.Count, Counts.Asked);
            batch.IsDone = true;
            isSyncing = false;
            Monitor.PulseAll(gate);
        }
    }

    sealed class Batch
    {
        public HashSet<string> Directories { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, ExceptionDispatchInfo> Failures { get; } = new(StringComparer.Ordinal);

        public bool IsDone { get; set; }
    }
}
