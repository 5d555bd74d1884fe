using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>A store's hold of its archive: nobody else archives there, it is this store's, and how far it goes is known.</summary>
sealed class ArchiveClaim : IDisposable
{
    readonly ArchiveDirectory directory;
    readonly StoreFiles files;
    readonly Manifest manifest;
    readonly ValueSegments values;
    readonly ArchiveProgress progress;
    readonly IFileLock held;

    ArchiveClaim(ArchiveDirectory directory, StoreFiles files, Manifest manifest, ValueSegments values, ArchiveProgress progress)
    {
        this.directory = directory;
        this.files = files;
        this.manifest = manifest;
        this.values = values;
        this.progress = progress;
        try
        {
            held = directory.FileSystem.Lock(directory.LockPath);
        }
        catch (LockedException locked)
        {
            throw new LockedException(locked.Path, locked.OwnerProcessId, "another store archives here, opened");
        }
    }

    /// <summary>Takes the archive, and finds out how far it goes and that it is this store's.</summary>
    /// <exception cref="LogArchiveException">It is not, or has lost parts.</exception>
    public static ArchiveClaim Take(
        ArchiveDirectory directory, StoreFiles files, Manifest manifest, ValueSegments values, ArchiveProgress progress)
    {
        if (directory.FileSystem.Overlap(files.Directory, directory.Path))
            throw directory.Problem(
                LogArchiveProblem.Foreign,
                $"this and the directory of the store, {files.Directory}, are one, or one lies in the other; take a directory beside it");
        directory.FileSystem.CreateDirectories(directory.Path);
        var claim = new ArchiveClaim(directory, files, manifest, values, progress);
        try
        {
            claim.FindEnd();
            return claim;
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    /// <summary>Whether the archive is still where it was taken.</summary>
    public bool IsInPlace => held.IsInPlace;

    /// <summary>Lets go of it; what the last part is will be looked up anew.</summary>
    public void Dispose()
    {
        held.Dispose();
        progress.Newest = null;
    }

    void FindEnd()
    {
        var fileSystem = directory.FileSystem;
        if (!fileSystem.FileExists(directory.PruneLockPath)) fileSystem.Open(directory.PruneLockPath, FileOpenMode.OpenOrCreate).Dispose();
        directory.DeleteLeftovers();
        var parts = directory.Files();
        ArchivePosition known;
        using (manifest.Gate.Hold()) known = manifest.State.Archive ?? throw directory.Ended();
        if (parts.Count == 0)
        {
            // A disk that is not mounted, or another directory; a new archive here would leave a gap that nobody sees.
            if (known.Part != 0)
                throw directory.Problem(
                    LogArchiveProblem.Gap,
                    $"the store {files.Directory} has written {known.Part} parts of its archive, and none of them is here. If they are in "
                        + "another directory, open the store with that one, or move them here; if they were here, is their disk mounted? "
                        + "To begin a new archive here, end the old one first (EndLogArchive, 'ashlar kv end-archive')");
            progress.Position = known;
            return;
        }

        // The name may have been left in doubt by a sync that failed.
        fileSystem.SyncDirectory(directory.Path);
        var last = directory.ReadHead(parts[^1]);
        if (parts.Count > 1 && parts[^2].Number == last.Number)
            throw directory.Problem(
                LogArchiveProblem.Foreign, $"there are two parts with number {last.Number}: {parts[^2].Name} and {parts[^1].Name}");
        if (last.StoreId != files.StoreId)
            throw directory.Problem(LogArchiveProblem.Foreign, $"this is the archive of store {last.StoreId}, not of {files.StoreId}");
        if (last.HistoryId != manifest.HistoryId)
            throw directory.Problem(
                LogArchiveProblem.Foreign,
                "this is the archive of the store that this one was restored from, or of another copy; a restored store has an archive of "
                    + "its own");
        var goesOn = last.Number == known.Part ? last.Crc == known.PartCrc : IsOurs(last, known.ThroughLog);
        if (known.Part == 0 && !goesOn)
            throw directory.Problem(
                LogArchiveProblem.Foreign,
                $"here is an archive up to part {last.Number} that the store {files.Directory} does not go on with: it was ended, or a "
                    + "copy of the store writes it. A new archive needs a directory of its own");
        if (last.Number < known.Part)
            throw directory.Problem(
                LogArchiveProblem.Gap, $"the archive ends with part {last.Number}, but the store has written part {known.Part}");
        if (!goesOn)
            throw directory.Problem(
                LogArchiveProblem.Foreign,
                $"part {last.Number} holds writes up to sequence {last.LastSequence} that this store does not have: a copy of it has "
                    + "archived here");
        progress.Newest = last;
        progress.Position = last.Number == known.Part
            ? known
            : new ArchivePosition(Math.Max(known.ThroughLog, last.SegmentId - 1), last.LastSequence, last.Number, last.Crc);
    }

    // Parts that the manifest does not know are of segments that it keeps. A segment grows only while the process that created it
    // has it open: a copy of the store goes on with another one.
    bool IsOurs(ArchivePart part, ulong throughLog)
    {
        if (part.SegmentId <= throughLog) return false;
        using (manifest.Gate.Hold())
        {
            var isListed = manifest.State.Logs.ContainsKey(part.SegmentId) || manifest.State.Segments.ContainsKey(part.SegmentId);
            return isListed && values.TryFind(part.SegmentId) is { } segment && segment.Nonce == part.Nonce
                && (segment.EndOffset == 0 || part.To <= segment.EndOffset);
        }
    }
}
