using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <inheritdoc />
    public async Task<NamespaceEntry> CreateDirectoryAsync(
        CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        if (path.IsRoot) throw new PathExistsException(path, NamespaceEntryKind.Directory);
        // The parent is shared and its row not written: any number make names in one directory at a time. Who deletes it needs it alone.
        using var held = await latches.TakeAsync(new LatchSet()
            .Path(customer, path.Parent, isExclusive: false)
            .Path(customer, path, isExclusive: true));
        RequireDirectory(customer, path.Parent);
        if (Find(customer, path) is { } present) throw new PathExistsException(path, present.Kind);
        var now = Now;
        var entry = new NamespaceEntry { Path = path, Kind = NamespaceEntryKind.Directory, CreatedAt = now, UpdatedAt = now };
        var batch = new WriteBatch();
        batch.Put(MetadataKeys.Directory(customer, path), Files.Rows.Write(entry));
        await WriteAsync(account, batch, new UsageChanges(customer).AddDirectory(path));
        return entry;
    }

    /// <inheritdoc />
    public async Task DeleteDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        if (path.IsRoot) throw new DirectoryNotEmptyException(path);
        using var held = await latches.TakeAsync(new LatchSet().Path(customer, path, isExclusive: true));
        if (Require(customer, path).Kind == NamespaceEntryKind.File) throw new NotADirectoryException(path);
        var key = MetadataKeys.Directory(customer, path);
        if (Exists(KeyRange.Between([.. key, 0], KeyRange.Prefix(key).End))) throw new DirectoryNotEmptyException(path);
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Delete(key);
        await WriteAsync(account, batch, new UsageChanges(customer).RemoveDirectory(path));
    }

    /// <inheritdoc />
    public async Task DeleteFileAsync(
        CustomerId customer, FilePath path, string? ifTag = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        using var held = await latches.TakeAsync(new LatchSet().Path(customer, path, isExclusive: true));
        var entry = RequireFile(customer, path);
        if (ifTag is not null && ifTag != entry.Tag) throw new TagMismatchException(path, ifTag, entry.Tag);
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Delete(MetadataKeys.File(customer, path));
        RemoveFile(batch, customer, entry);
        await WriteAsync(account, batch, new UsageChanges(customer).RemoveFile(path, entry.SizeBytes));
    }

    /// <inheritdoc />
    public async Task<NamespaceEntry> RenameFileAsync(
        CustomerId customer, FilePath from, FilePath to, bool mayReplace = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        using var held = await latches.TakeAsync(new LatchSet()
            .Path(customer, from, isExclusive: true)
            .Path(customer, to.Parent, isExclusive: false)
            .Path(customer, to, isExclusive: true));
        var entry = RequireFile(customer, from);
        if (from == to) return entry;
        var batch = new WriteBatch();
        var usage = new UsageChanges(customer).RemoveFile(from, entry.SizeBytes).AddFile(to, entry.SizeBytes);
        MakeRoom(batch, usage, customer, to, new(mayReplace, null));

        var renamed = entry with { Path = to, UpdatedAt = Now };
        var key = MetadataKeys.FileRow(customer, entry.FileId);
        batch.Delete(MetadataKeys.File(customer, from));
        batch.Put(MetadataKeys.File(customer, to), Files.Rows.Write(renamed));
        batch.Put(key, (RequireRow(key) with { Path = to }).Write());
        await WriteAsync(account, batch, usage);
        return renamed;
    }

    /// <inheritdoc />
    public Task<NamespaceEntry?> StatAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        accounts.Of(customer);
        if (!path.IsRoot)
        {
            // Two look-ups of one moment: a name may pass from a file to a directory between two.
            using var moment = store.CreateSnapshot();
            return Task.FromResult(Find(moment.Get, customer, path));
        }

        var createdAt = ReadCustomer(customer)!.CreatedAt;
        return Task.FromResult<NamespaceEntry?>(new()
        {
            Path = path,
            Kind = NamespaceEntryKind.Directory,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        });
    }

    /// <inheritdoc />
    public Task<StoredFile> GetFileAsync(
        CustomerId customer, FilePath path, long offset = 0, long length = long.MaxValue, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        cancellationToken.ThrowIfCancellationRequested();
        accounts.Of(customer);
        using var moment = store.CreateSnapshot();
        var entry = path.IsRoot ? throw new NotAFileException(path) : Find(moment.Get, customer, path);
        if (entry is null) throw new PathNotFoundException(path);
        if (entry.Kind != NamespaceEntryKind.File) throw new NotAFileException(path);
        var key = MetadataKeys.FileRow(customer, entry.FileId);
        var row = ReadRow(key, moment.Get(key));
        var file = new StoredFile { Entry = entry, Inline = row.Inline, BlockCount = row.BlockCount };
        if (row.BlockCount == 0 || offset >= entry.SizeBytes || length == 0) return Task.FromResult(file);
        var (blocks, start) = ReadBlocks(moment, customer, entry, offset, Math.Min(length, entry.SizeBytes - offset));
        return Task.FromResult(file with { Blocks = blocks, BlocksOffsetBytes = start });
    }

    static (List<FileBlock> Blocks, long Start) ReadBlocks(
        KeyValueSnapshot moment, CustomerId customer, NamespaceEntry file, long offset, long length)
    {
        byte[] first;
        using (var before = moment.Scan(
            KeyRange.Between(
                MetadataKeys.BlockList(customer, file.FileId, 0), [.. MetadataKeys.BlockList(customer, file.FileId, offset), 0]),
            ScanDirection.Backward))
        {
            if (!before.MoveNext()) throw Missing(MetadataKeys.BlockList(customer, file.FileId), "a file's list of blocks is missing");
            first = before.Key.ToArray();
        }

        var blocks = new List<FileBlock>();
        var position = (long)MetadataKeys.WordAt(first, 2);
        var start = position;
        using var pages = moment.Scan(KeyRange.Between(first, KeyRange.Prefix(MetadataKeys.BlockList(customer, file.FileId)).End));
        while (position < offset + length && pages.MoveNext())
        {
            if ((long)MetadataKeys.WordAt(pages.Key, 2) != position)
                throw Missing(pages.Key, $"the page that begins at {position} is missing");
            foreach (var block in BlockListPage.Read(pages.Key, pages.Value))
            {
                if (position >= offset + length) break;
                if (position + block.LengthBytes > offset) blocks.Add(block);
                else start += block.LengthBytes;
                position += block.LengthBytes;
            }
        }

        if (position < offset + length) throw Missing(first, $"the list of blocks ends at {position} of {file.SizeBytes} bytes");
        return (blocks, start);
    }

    // Of the caller's latched paths.
    NamespaceEntry? Find(CustomerId customer, FilePath path) => Find(store.Get, customer, path);

    static NamespaceEntry? Find(GetRow get, CustomerId customer, FilePath path)
    {
        var key = MetadataKeys.File(customer, path);
        if (get(key) is { } file) return Files.Rows.ReadEntry(key, file);
        key = MetadataKeys.Directory(customer, path);
        return get(key) is { } directory ? Files.Rows.ReadEntry(key, directory) : null;
    }

    NamespaceEntry Require(CustomerId customer, FilePath path) => Find(customer, path) ?? throw new PathNotFoundException(path);

    NamespaceEntry RequireFile(CustomerId customer, FilePath path) =>
        path.IsRoot ? throw new NotAFileException(path)
        : Require(customer, path) is { Kind: NamespaceEntryKind.File } file ? file
        : throw new NotAFileException(path);

    void RequireDirectory(CustomerId customer, FilePath path)
    {
        if (path.IsRoot || store.Get(MetadataKeys.Directory(customer, path)) is not null) return;
        throw store.Get(MetadataKeys.File(customer, path)) is null ? new PathNotFoundException(path) : new NotADirectoryException(path);
    }

    /// <summary>Tests whether a file may take a name, and removes the one that it replaces.</summary>
    void MakeRoom(WriteBatch batch, UsageChanges usage, CustomerId customer, FilePath path, CommitCondition condition)
    {
        if (path.IsRoot) throw new NotAFileException(path);
        RequireDirectory(customer, path.Parent);
        var present = Find(customer, path);
        if (present is not null && !condition.MayReplace) throw new PathExistsException(path, present.Kind);
        if (present?.Kind == NamespaceEntryKind.Directory) throw new NotAFileException(path);
        if (condition.IfTag is { } expected && expected != present?.Tag) throw new TagMismatchException(path, expected, present?.Tag);
        if (present is null) return;
        RemoveFile(batch, customer, present);
        usage.RemoveFile(path, present.SizeBytes);
    }

    /// <summary>
    /// All of a file but its name. Blocks are told to the collector, whether others refer to them or not, and nothing else is done to them.
    /// </summary>
    void RemoveFile(WriteBatch batch, CustomerId customer, NamespaceEntry file)
    {
        var now = Now;
        batch.Delete(MetadataKeys.FileRow(customer, file.FileId));
        var seen = new HashSet<BlockName>();
        using var pages = store.Scan(KeyRange.Prefix(MetadataKeys.BlockList(customer, file.FileId)));
        while (pages.MoveNext())
        {
            batch.Delete(pages.Key);
            foreach (var block in BlockListPage.Read(pages.Key, pages.Value))
            {
                if (!seen.Add(block.Name)) continue;
                batch.Delete(MetadataKeys.Reference(customer, block.Name, file.FileId));
                batch.Put(MetadataKeys.Idle(now, new(customer, block.Name)), []);
            }
        }
    }

    FileRow RequireRow(byte[] key) => ReadRow(key, store.Get(key));

    static FileRow ReadRow(byte[] key, byte[]? row) => FileRow.Read(key, row ?? throw Missing(key, "a name has no file"));

    delegate byte[]? GetRow(ReadOnlySpan<byte> key);
}
