using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Inspection;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Repair;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// The last resort for a store that does not open and has no backup: builds a new store in another directory from whatever holds of
/// tables, log and values. It is never done by itself, and the damaged store is only read.
/// </summary>
/// <remarks>
/// What comes out is not a state that the store ever had: of what was lost the keys are absent or, where not even the key could be
/// read, as an older entry says. A key that was deleted stays deleted as long as its tombstone can be read; a range that was deleted, as
/// long as the manifest can, or the log that it was deleted in. Keyspaces stay keyspaces as long as the manifest can be read, or the mark
/// that was written with the first of them; one whose name was lost is not listed any more. Restore a backup where there is one.
/// </remarks>
public static class KeyValueRepair
{
    /// <summary>Builds a new store. For each key the entry of the largest sequence counts. The new store has a new identity.</summary>
    /// <param name="directory">The damaged store; nobody may have it open for writing.</param>
    /// <param name="target">A directory that is empty or missing, on the same file system.</param>
    /// <param name="options">Disk, chance and sizes; null is <see cref="KeyValueOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The target and the damaged store lie in each other.</exception>
    /// <exception cref="LockedException">Somebody has the store open.</exception>
    /// <exception cref="StorageException">
    /// There is no directory, the target is not empty (<see cref="StorageErrorKind.AlreadyExists"/>), or the disk refused. Then
    /// nothing of the new store counts.
    /// </exception>
    public static RepairReport Run(string directory, string target, KeyValueOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentException.ThrowIfNullOrEmpty(target);
        options ??= KeyValueOptions.Default;
        options.Validate();
        var fileSystem = options.FileSystem ?? FileSystems.Real;
        var source = new StoreFiles(fileSystem, StoreDirectory.FullPath(directory));
        var path = StoreDirectory.FullPath(target);
        fileSystem.RequireDirectory(source.Directory, "directory of a store");
        fileSystem.RequireApart(source.Directory, path, nameof(target));
        using var held = fileSystem.FileExists(source.LockPath) ? fileSystem.LockShared(source.LockPath) : null;
        var names = fileSystem.List(source.Directory);
        RepairReport? report = null;
        RestoreTarget.Run(fileSystem, path, _ => report = Build(source, names, fileSystem, path, options));
        return report!;
    }

    const string EveryFile = "every file of the directory is used, and keys that were deleted may be back";

    static RepairReport Build(
        StoreFiles source, IReadOnlyList<string> names, IFileSystem fileSystem, string target, KeyValueOptions options)
    {
        var losses = new List<RepairLoss>();
        var state = TryReadManifest(source, losses, options);
        if (state is not null && IsOlderThanFiles(source, names, state))
        {
            losses.Add(new RepairLoss(
                source.ManifestPath, 0, 0,
                $"the manifest is older than the files: it lacks its end, or was copied before them; {EveryFile}", null));
            state = null;
        }

        var result = new StoreFiles(fileSystem, target) { StoreId = options.Entropy.NextGuid() };
        using var runs = new RepairRuns(result, options) { HasKeyspaces = state?.Features.HasFlag(StoreFeatures.Keyspaces) ?? false };
        foreach (var range in state?.Ranges.Values ?? Enumerable.Empty<RangeTombstone>()) runs.Add(range);
        using (var sink = new RepairSink(source, runs, losses))
        {
            foreach (var id in state?.Tables.Keys ?? IdsOf(names, StoreFiles.IsTableName))
                Scan(source, source.TablePath(id), sink, file => new TableScan(file, sink).Run());
            foreach (var id in state?.Logs.Keys ?? IdsOf(names, StoreFiles.IsLogName))
                Scan(source, source.LogPath(id), sink, file => new SegmentScan(file, sink).Run(EndOf(id, state)));
        }

        var tables = runs.Finish();
        var edit = new ManifestEdit
        {
            NextFileId = runs.NextId,
            LastSequence = Math.Max(runs.LastSequence, state?.LastSequence ?? 0),
            LastCommitTime = state?.LastCommitTime ?? 0,
            Features = (state?.Features ?? StoreFeatures.None) | (runs.HasKeyspaces ? StoreFeatures.Keyspaces : StoreFeatures.None),
        };
        edit.AddedTables.AddRange(tables);
        using (var file = fileSystem.Open(result.NewManifestPath, FileOpenMode.CreateNew))
        {
            file.Write(Manifest.Encode(result.StoreId, edit), 0);
            file.Sync();
        }

        return new RepairReport
        {
            StoreId = result.StoreId,
            Keys = tables.Sum(table => table.EntryCount),
            LastSequence = edit.LastSequence.Value,
            HadManifest = state is not null,
            Losses = losses,
        };
    }

    static ManifestState? TryReadManifest(StoreFiles source, List<RepairLoss> losses, KeyValueOptions options)
    {
        try
        {
            if (!source.FileSystem.FileExists(source.ManifestPath))
                throw new CorruptDataException(source.ManifestPath, 0, "the manifest is missing");
            using var manifest = Manifest.Read(source, options with { ReadOnly = true });
            return manifest.State;
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            losses.Add(new RepairLoss(
                source.ManifestPath, (damage as CorruptDataException)?.OffsetBytes ?? 0, 0,
                $"{damage.Message}; {EveryFile}", null));
            return null;
        }
    }

    // A manifest whose end is missing is sound by itself; the files tell. One that it lists is deleted only when a durable edit does not
    // list it any more, and a log is written to only when a durable edit names it.
    static bool IsOlderThanFiles(StoreFiles source, IReadOnlyList<string> names, ManifestState state)
    {
        var tables = IdsOf(names, StoreFiles.IsTableName).ToHashSet();
        var logs = IdsOf(names, StoreFiles.IsLogName).ToHashSet();
        var isMissing = !state.Tables.Keys.All(tables.Contains) || !state.Logs.Keys.All(logs.Contains);
        logs.RemoveWhere(id => state.Logs.ContainsKey(id) || state.Segments.ContainsKey(id));
        tables.RemoveWhere(state.Tables.ContainsKey);
        return (isMissing && tables.Count + logs.Count > 0) || logs.Any(id => id > state.NewestLog && HasGroup(source, id));
    }

    static bool HasGroup(StoreFiles source, ulong id)
    {
        using var file = source.FileSystem.Open(source.LogPath(id), FileOpenMode.ReadOnly);
        return LogBeginning.TryRead(file, file.Path) is { HasGroup: true };
    }

    static void Scan(StoreFiles source, string path, RepairSink sink, Action<IFile> scan)
    {
        sink.Path = path;
        if (!source.FileSystem.FileExists(path))
        {
            sink.Damage(0, 0, "the manifest lists this file, but it is missing");
            return;
        }

        using var file = source.FileSystem.Open(path, FileOpenMode.ReadOnly);
        scan(file);
    }

    // What follows the end that the manifest says never counted.
    static long EndOf(ulong id, ManifestState? state)
    {
        foreach (var log in state?.Logs.Values ?? Enumerable.Empty<LogInfo>())
        {
            if (log.PredecessorId == id) return log.PredecessorEnd;
        }

        return long.MaxValue;
    }

    delegate bool NameTest(string name, out ulong id);

    static IEnumerable<ulong> IdsOf(IReadOnlyList<string> names, NameTest test)
    {
        foreach (var name in names)
        {
            if (test(name, out var id)) yield return id;
        }
    }
}
