using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>Makes one backup.</summary>
/// <remarks>
/// Crash order: a backup exists if and only if its record does.
/// <list type="number">
/// <item>Leftovers are deleted, new files are copied and synced. Crash: files that no record names, deleted by the next backup.</item>
/// <item>The directory is synced; the copies are read back and checked.</item>
/// <item>The record is written aside, synced and renamed. Crash: the backup is there as a whole, or not.</item>
/// </list>
/// Files of earlier backups are never written to, so those hold throughout.
/// </remarks>
sealed class BackupWriter(
    BackupDirectory target, StoreFiles store, KeyValueOptions options, BackupMode mode, BackupWriter.Verify verify)
{
    /// <summary>Opens the copies as the store that they are, and checks those of its tables that are asked for.</summary>
    /// <returns>The last sequence that the backup holds, and when it was committed.</returns>
    public delegate (ulong Sequence, long CommitTime) Verify(BackupFiles files, Predicate<ulong> isTableChecked);

    readonly List<string> written = [];
    readonly HashSet<string> copiedNames = new(StringComparer.Ordinal);

    public BackupInfo Run(BackupSource source)
    {
        target.DeleteLeftovers();
        var number = target.NextNumber();
        BackupRecord record;
        try
        {
            var known = mode == BackupMode.Full ? [] : KnownFiles();
            var files = new List<BackupFile>();
            var sources = source.FindFiles();
            foreach (var file in sources) files.Add(known.TryGetValue(file.Identity, out var shared) ? shared : Copy(file, number));
            files.Add(WriteManifest(source.Content, number));
            target.FileSystem.SyncDirectory(target.Path);
            var (sequence, commitTime) = Check(files);
            RequireComplete(source, sources, sequence);
            record = new BackupRecord(
                store.StoreId, number, options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() * 1000, sequence, commitTime, files);
        }
        catch
        {
            // Without a record they are leftovers; if this fails, the next backup deletes them.
            foreach (var name in written) target.FileSystem.TryDelete(target.PathOf(name));
            throw;
        }

        // If this fails the record may count all the same: its files stay.
        target.Install(record);
        return BackupInfo.Of(
            record, record.Files.Where(file => copiedNames.Contains(file.StoredName)).Sum(file => file.LengthBytes));
    }

    // Files of damaged records are not shared: nothing says what they should hold.
    Dictionary<string, BackupFile> KnownFiles()
    {
        var known = new Dictionary<string, BackupFile>(StringComparer.Ordinal);
        foreach (var (_, record, _) in target.ReadRecords())
        {
            if (record is null || record.StoreId != store.StoreId) continue;
            foreach (var file in record.Files)
            {
                if (IsWhole(file)) known[IdentityOf(file.StoredName)] = file;
            }
        }

        return known;
    }

    bool IsWhole(BackupFile file)
    {
        var path = target.PathOf(file.StoredName);
        if (!target.FileSystem.FileExists(path)) return false;
        using var stored = target.FileSystem.Open(path, FileOpenMode.ReadOnly);
        return stored.LengthBytes == file.LengthBytes;
    }

    // Full copies carry the number of their backup behind a dot.
    static string IdentityOf(string storedName) => storedName.Split('.')[0];

    BackupFile Copy(SourceFile file, ulong number)
    {
        var name = file.Identity;
        if (mode == BackupMode.Full || target.FileSystem.FileExists(target.PathOf(name))) name = $"{name}.{number:d6}";
        written.Add(name);
        var crc = FileCopy.Run(file.File, file.LengthBytes, target.FileSystem, target.PathOf(name));
        copiedNames.Add(name);
        return new BackupFile(file.LengthBytes, crc, name, file.Name);
    }

    BackupFile WriteManifest(ManifestEdit content, ulong number)
    {
        var name = $"manifest-{number:d6}";
        var bytes = Manifest.Encode(store.StoreId, content);
        written.Add(name);
        using var file = target.FileSystem.Open(target.PathOf(name), FileOpenMode.CreateNew);
        file.Write(bytes, 0);
        file.Sync();
        copiedNames.Add(name);
        return new BackupFile(bytes.Length, Crc32C.Compute(bytes), name, StoreFiles.ManifestName);
    }

    /// <summary>Reads the copies back, as the checksum says and as the store that they are.</summary>
    (ulong Sequence, long CommitTime) Check(List<BackupFile> files)
    {
        foreach (var file in files.Where(file => copiedNames.Contains(file.StoredName)))
        {
            using var copy = target.FileSystem.Open(target.PathOf(file.StoredName), FileOpenMode.ReadOnly);
            if (FileCopy.Checksum(copy, file.LengthBytes) != file.Crc)
                throw new CorruptDataException(copy.Path, 0, "the copy reads back other bytes than were written");
        }

        var copied = files.Where(file => copiedNames.Contains(file.StoredName)).Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        return verify(target.Assemble(store.StoreId, files), id => copied.Contains(StoreFiles.TableName(id)));
    }

    // Nothing tells a group that was lost at the end of the log from one that was never written, but what was durable.
    static void RequireComplete(BackupSource source, List<SourceFile> files, ulong sequence)
    {
        if (sequence >= source.RequiredSequence) return;
        var last = source.Content.AddedLogs.Count == 0 ? files[^1]
            : files.Single(file => file.Name == StoreFiles.LogName(source.Content.AddedLogs[^1].Id));
        throw new CorruptDataException(
            last.File.Path, last.LengthBytes, $"the log ends with sequence {sequence}, but sequence {source.RequiredSequence} is durable");
    }
}
