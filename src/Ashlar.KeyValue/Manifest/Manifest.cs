using Ashlar.Storage;

namespace Ashlar.KeyValue;

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

    /// <summary>Whether an edit of unknown outcome was written.</summary>
    public bool IsInDoubt => isInDoubt;

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
            var bytes = new byte[checked((int)file.LengthBytes)];
            if (file.Read(bytes, 0) != bytes.Length)
                throw new CorruptDataException(path, 0, "the manifest became shorter while it was read");
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

    /// <summary>Makes durable what was read: a process that died may have left it in the page cache only.</summary>
    public void Sync() => file.Sync();

    /// <summary>
    /// Appends an edit and makes it durable. After a failure it is unknown whether the edit counts: the caller poisons
    /// the store.
    /// </summary>
    /// <returns>Segments that count no more: their files may go.</returns>
    public List<ulong> Append(ManifestEdit edit)
    {
        Invariant.Require(Gate.IsHeldByCurrentThread);
        // Nothing is written behind an edit of unknown outcome.
        Invariant.Require(!isInDoubt);
        isInDoubt = true;
        var dropped = State.Apply(edit, files.ManifestPath, end);
        if (end > options.ManifestRewriteBytes && end > 2 * lengthAfterRewrite)
        {
            Rewrite();
        }
        else
        {
            var record = EncodeRecord(edit, lastNumber + 1, end, seed);
            file.Write(record, end);
            if (options.PlantedBug != PlantedBug.SkipManifestSync) file.Sync();
            end += record.Length;
            lastNumber++;
        }

        isInDoubt = false;
        return dropped;
    }

    // Crash order: the old manifest counts until the rename is durable, and says the same as the new one.
    //   1. Write MANIFEST.new, sync it.     Crash: an orphan, deleted at open.
    //   2. Rename it over MANIFEST.         Crash: one of the two, both complete.
    //   3. Sync the directory.              Before this nothing may be appended to the new one: it could vanish with it.
    public void Rewrite()
    {
        var old = file;
        (file, end) = WriteAnew(files, State, options);
        lengthAfterRewrite = end;
        lastNumber = 1;
        HasTornTail = false;
        old.Dispose();
    }

    public void Dispose() => file.Dispose();

    static (IFile File, long End) WriteAnew(StoreFiles files, ManifestState state, KeyValueOptions options)
    {
        var path = files.NewManifestPath;
        if (files.FileSystem.FileExists(path)) files.FileSystem.Delete(path);
        var file = files.FileSystem.Open(path, FileOpenMode.CreateNew);
        try
        {
            var bytes = Encode(files.StoreId, state.ToEdit());
            file.Write(bytes, 0);
            if (options.PlantedBug != PlantedBug.RenameManifestBeforeSync) file.Sync();
            files.FileSystem.Rename(path, files.ManifestPath);
            if (options.PlantedBug != PlantedBug.SkipDirectorySyncOfManifest) files.SyncDirectory();
            return (file, bytes.Length);
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
