using System.Runtime.ExceptionServices;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Manifests;

/// <summary>
/// The one authority on what a store consists of. An edit counts when it is durable here, and not before. Callers hold
/// <see cref="Gate"/> from deciding on an edit until they have acted on it, so edits are in one order everywhere.
/// </summary>
sealed class Manifest : IDisposable
{
    readonly StoreFiles files;
    readonly KeyValueOptions options;
    readonly uint seed;
    IFile file;
    long end;
    ulong lastNumber;
    long lengthAfterRewrite;
    bool isInDoubt;
    ExceptionDispatchInfo? doubt;

    Manifest(StoreFiles files, IFile file, ManifestState state, KeyValueOptions options)
    {
        this.files = files;
        this.file = file;
        this.options = options;
        seed = ManifestRecordHeader.Seed(files.StoreId);
        State = state;
    }

    public Lock Gate { get; } = new();

    public ManifestState State { get; }

    /// <summary>Length of the file.</summary>
    public long LengthBytes => end;

    /// <summary>Whether an edit of unknown outcome was written.</summary>
    public bool IsInDoubt => isInDoubt;

    /// <summary>Which history of the store this is: another one after each time that it was restored.</summary>
    public Guid HistoryId => State.HistoryId ?? files.StoreId;

    /// <summary>Bytes behind the last sound record: an edit that was being written when the store stopped.</summary>
    public bool HasTornTail { get; private set; }

    /// <summary>Creates the manifest of a new store.</summary>
    public static Manifest Create(StoreFiles files, KeyValueOptions options)
    {
        var state = new ManifestState();
        var (file, end) = WriteAnew(files, state, options);
        return new Manifest(files, file, state, options) { end = end, lastNumber = 1, lengthAfterRewrite = end };
    }

    /// <summary>Reads the manifest. Nothing is modified.</summary>
    /// <exception cref="CorruptDataException">
    /// It is damaged elsewhere than in an edit that was being written last.
    /// </exception>
    /// <exception cref="UnsupportedFormatException">
    /// It is not a manifest, or of a version that this program cannot read.
    /// </exception>
    public static Manifest Read(StoreFiles files, KeyValueOptions options)
    {
        var path = files.ManifestPath;
        var file = files.FileSystem.Open(path, options.ReadOnly ? FileOpenMode.ReadOnly : FileOpenMode.Existing);
        try
        {
            var bytes = file.ReadWhole();
            files.StoreId = ManifestHeader.Read(bytes, path).StoreId;
            var manifest = new Manifest(files, file, new ManifestState(), options);
            manifest.ReadRecords(bytes);
            return manifest;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A whole manifest that says this, as bytes.</summary>
    public static byte[] Encode(Guid storeId, ManifestEdit state)
    {
        var header = new byte[ManifestHeader.SizeBytes];
        new ManifestHeader(storeId).Write(header);
        return [.. header, .. EncodeRecord(state, 1, header.Length, ManifestRecordHeader.Seed(storeId))];
    }

    /// <summary>
    /// Makes durable what was read, its name as well. A process that died may have left it in the page cache only; and after a sync that
    /// failed, pages count as written that the disk does not have, so that another sync does nothing. So it is written again.
    /// </summary>
    /// <remarks>
    /// In place, with the same bytes: that needs no space. Then to a new file, because the same holds of the directory, and only a new name
    /// makes it write. Where there is no room for that, the name has to be trusted; behind the mark that it was closed it may be. A torn
    /// tail is then cut off, because the next record may be shorter, and a part of the tail may not follow it.
    /// </remarks>
    public void MakeDurable()
    {
        var bytes = new byte[checked((int)end)];
        if (file.Read(bytes, 0) != bytes.Length)
            throw new CorruptDataException(files.ManifestPath, 0, "the manifest became shorter while the store was opened");
        file.Write(bytes, 0);
        file.Sync();
        if (State.Closed && !HasTornTail) return;
        if (TryRewrite() || !HasTornTail) return;
        file.SetLength(end);
        file.Sync();
        HasTornTail = false;
    }

    /// <summary>
    /// Appends an edit and makes it durable. After a failure it is unknown whether the edit counts, and the caller poisons the
    /// store, unless <see cref="IsInDoubt"/> says that it does not: the disk was full, and nothing of it is left.
    /// </summary>
    /// <returns>Segments that count no more: their files may go.</returns>
    public List<ulong> Append(ManifestEdit edit)
    {
        Invariant.Require(Gate.IsHeldByCurrentThread);
        // Nothing is written behind an edit of unknown outcome. Whoever comes before the store is poisoned learns what poisons it.
        doubt?.Throw();
        Invariant.Require(!isInDoubt);
        files.RequireInPlace(); // Another process may write to the same file by now.
        isInDoubt = true;
        try
        {
            var dropped = Write(edit);
            isInDoubt = false;
            return dropped;
        }
        catch (Exception cause) when (isInDoubt)
        {
            doubt = ExceptionDispatchInfo.Capture(cause);
            throw;
        }
    }

    List<ulong> Write(ManifestEdit edit)
    {
        var record = EncodeRecord(edit, lastNumber + 1, end, seed);
        WriteOrLeave(record);
        file.Sync();
        var dropped = State.Apply(edit, files.ManifestPath, end);
        end += record.Length;
        lastNumber++;
        if (end > options.ManifestRewriteBytes && end > 2 * lengthAfterRewrite) TryRewrite(); // Shorter is better, but not needed.
        return dropped;
    }

    // A write that finds no space has not written all of a record, and a part of one counts as nothing. What there is of it is
    // cut off, because the next record may be shorter.
    void WriteOrLeave(byte[] record)
    {
        try
        {
            file.Write(record, end);
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            file.SetLength(end);
            isInDoubt = false;
            throw;
        }
    }

    // Crash order: the old manifest counts until the rename is durable, and says the same as the new one.
    //   1. Write MANIFEST.new, sync it.     Crash: an orphan, deleted at open.
    //   2. Rename it over MANIFEST.         Crash: one of the two, both complete.
    //   3. Sync the directory.              Before this nothing may be appended to the new one: it could vanish with it.
    public void Rewrite() => Use(WriteAnew(files, State, options));

    public void Dispose() => file.Dispose();

    // False if there is no room, and all is as before. Once the new file may have the name, going on with the old one is no choice any
    // more: what is written to it could be gone with the next opening.
    bool TryRewrite()
    {
        (IFile File, long End) written;
        try
        {
            written = WriteNew(files, State, options);
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            files.TryDelete(files.NewManifestPath);
            return false;
        }

        Adopt(files, written.File, options);
        Use(written);
        return true;
    }

    void Use((IFile File, long End) written)
    {
        file.Dispose();
        (file, end) = written;
        lengthAfterRewrite = end;
        lastNumber = 1;
        HasTornTail = false;
    }

    static (IFile File, long End) WriteAnew(StoreFiles files, ManifestState state, KeyValueOptions options)
    {
        var written = WriteNew(files, state, options);
        Adopt(files, written.File, options);
        return written;
    }

    static (IFile File, long End) WriteNew(StoreFiles files, ManifestState state, KeyValueOptions options)
    {
        var path = files.NewManifestPath;
        if (files.FileSystem.FileExists(path)) files.FileSystem.Delete(path);
        var file = files.FileSystem.Open(path, FileOpenMode.CreateNew);
        try
        {
            var bytes = Encode(files.StoreId, state.ToEdit());
            file.Write(bytes, 0);
            file.Sync();
            return (file, bytes.Length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    static void Adopt(StoreFiles files, IFile file, KeyValueOptions options)
    {
        try
        {
            files.FileSystem.Rename(files.NewManifestPath, files.ManifestPath);
            files.SyncDirectory();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    static byte[] EncodeRecord(ManifestEdit edit, ulong number, long offset, uint seed)
    {
        var payload = edit.Encode();
        var record = new byte[ManifestRecordHeader.SizeBytes + payload.Length];
        payload.CopyTo(record, ManifestRecordHeader.SizeBytes);
        new ManifestRecordHeader(number, offset, payload.Length, Crc32C.Append(seed, payload)).Write(record, seed);
        return record;
    }

    void ReadRecords(byte[] bytes)
    {
        var path = files.ManifestPath;
        long offset = ManifestHeader.SizeBytes;
        while (offset < bytes.Length)
        {
            if (!TryReadRecord(bytes, offset, out var header)) break;
            if (header.Number != lastNumber + 1)
                throw new CorruptDataException(path, offset, $"record {header.Number} follows record {lastNumber}");
            var payload = bytes.AsSpan((int)offset + ManifestRecordHeader.SizeBytes, header.Length);
            State.Apply(ManifestEdit.Decode(payload, path, offset), path, offset);
            lastNumber = header.Number;
            offset += ManifestRecordHeader.SizeBytes + header.Length;
        }

        end = offset;
        lengthAfterRewrite = end;
        HasTornTail = offset < bytes.Length;
        // The first record is durable before the manifest gets its name, every other one before the next is begun.
        if (lastNumber == 0) throw new CorruptDataException(path, offset, "the first record of the manifest does not hold");
        for (var behind = offset + 1; behind < bytes.Length; behind++)
        {
            if (ManifestRecordHeader.TryRead(bytes.AsSpan((int)behind), behind, seed, out _))
                throw new CorruptDataException(
                    path, offset, $"a record does not hold, but one at byte {behind} follows it");
        }
    }

    bool TryReadRecord(byte[] bytes, long offset, out ManifestRecordHeader header) =>
        ManifestRecordHeader.TryRead(bytes.AsSpan((int)offset), offset, seed, out header)
        && header.Length <= bytes.Length - offset - ManifestRecordHeader.SizeBytes
        && Crc32C.Append(seed, bytes.AsSpan((int)offset + ManifestRecordHeader.SizeBytes, header.Length)) == header.PayloadCrc;
}
