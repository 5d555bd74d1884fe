using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>A file of the store that a backup needs.</summary>
/// <param name="Name">Its name in the store.</param>
/// <param name="Identity">Its name in a directory of backups: different where the content is.</param>
/// <param name="LengthBytes">How much of it counts.</param>
/// <param name="File">The file, held open: it may be deleted from the store meanwhile.</param>
sealed record SourceFile(string Name, string Identity, long LengthBytes, IFile File);

/// <summary>
/// What a store consists of at one moment, with its files held open. Tables and complete segments, of log or values, do not change any
/// more; the newest segment is cut behind a group that is durable.
/// </summary>
sealed class BackupSource : IDisposable
{
    readonly StoreFiles store;
    readonly LogEnd recovered;
    readonly Dictionary<string, IFile> opened;

    BackupSource(StoreFiles store, ManifestEdit content, in LogEnd recovered, Dictionary<string, IFile> opened)
    {
        (this.store, Content) = (store, content);
        (this.recovered, this.opened) = (recovered, opened);
    }

    public ManifestEdit Content { get; }

    /// <summary>What was durable when the files were held: all of it is in them, and nothing beyond it is copied.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>Where the files end before this, one of them has lost something.</summary>
    public ulong RequiredSequence { get; private init; }

    /// <summary>
    /// Takes hold of the files. What the manifest lists is there as long as its lock is held: files are deleted only after the
    /// edit that drops them. Open handles outlive the names.
    /// </summary>
    /// <param name="store">The store's files.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="recovered">Where recovery found the end of the log.</param>
    /// <param name="recoveredSequence">Sequences up to this one need not have been written: those of a torn tail are used up.</param>
    /// <param name="durableSequence">
    /// Everything up to there is on disk. Asked while the manifest's lock is held: the log cannot go on to another segment meanwhile.
    /// </param>
    public static BackupSource Take(
        StoreFiles store, Manifest manifest, in LogEnd recovered, ulong recoveredSequence, Func<ulong> durableSequence)
    {
        var opened = new Dictionary<string, IFile>(StringComparer.Ordinal);
        try
        {
            using (manifest.Gate.Hold())
            {
                var content = manifest.State.ToCopy();
                foreach (var table in content.AddedTables)
                    opened[StoreFiles.TableName(table.Id)] = store.FileSystem.Open(store.TablePath(table.Id), FileOpenMode.ReadOnly);
                foreach (var id in content.AddedLogs.Select(log => log.Id).Concat(content.AddedSegments.Select(segment => segment.Id)))
                    opened.Add(StoreFiles.LogName(id), store.FileSystem.Open(store.LogPath(id), FileOpenMode.ReadOnly));
                var durable = durableSequence();
                var required = durable > recoveredSequence ? durable : 0;
                return new BackupSource(store, content, recovered, opened) { Sequence = durable, RequiredSequence = required };
            }
        }
        catch
        {
            foreach (var file in opened.Values) file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The files, and how much of each counts. Not found out when they are taken hold of: others may wait for that, and the newest segment
    /// has to be read for it. What counts of it does not change any more.
    /// </summary>
    /// <exception cref="CorruptDataException">The newest segment has lost a group that was durable.</exception>
    public List<SourceFile> FindFiles()
    {
        var files = new List<SourceFile>();
        // Tables of two histories may have one number, and one CRC where values end with CRCs of their own.
        var history = Content.HistoryId is { } id ? $"-{id:N}" : "";
        foreach (var table in Content.AddedTables)
        {
            var name = StoreFiles.TableName(table.Id);
            files.Add(new(name, $"{name}-{table.FooterCrc:x8}-{table.FileLength}{history}", table.FileLength, opened[name]));
        }

        foreach (var segment in Content.AddedSegments) files.Add(Segment(segment.Id, segment.Nonce, segment.EndOffset));
        var logs = Content.AddedLogs;
        for (var i = 0; i < logs.Count; i++)
        {
            var length = i + 1 < logs.Count
                ? logs[i + 1].PredecessorEnd
                : LogCut.Find(opened[StoreFiles.LogName(logs[i].Id)], logs[i], store.StoreId, recovered, Sequence);
            files.Add(Segment(logs[i].Id, logs[i].Nonce, length));
        }

        return files;
    }

    SourceFile Segment(ulong id, ulong nonce, long length)
    {
        var name = StoreFiles.LogName(id);
        return new(name, $"{name}-{nonce:x16}-{length}", length, opened[name]);
    }

    public bool IsDisposed { get; private set; }

    public void Dispose()
    {
        IsDisposed = true;
        foreach (var file in opened.Values) file.Dispose();
    }
}
