using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    /// <inheritdoc />
    public async Task<NamespaceEntry> CreateDirectoryAsync(
        CustomerId customer, FilePath path, CreateDirectoryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        options ??= new();
        var account = accounts.Of(customer);
        if (path.IsRoot) throw new PathExistsException(path, NamespaceEntryKind.Directory);
        while (true)
        {
            var missing = FindMissing(customer, path, options.CreateParents);
            using var held = await latches.TakeAsync(ToMake(customer, path, missing));
            RequireCustomer(customer);
            if (!missing.SequenceEqual(FindMissing(customer, path, options.CreateParents))) continue;
            var batch = new WriteBatch();
            var usage = new UsageChanges(customer);
            MakeParents(batch, usage, customer, path, missing);
            var present = Find(customer, path);
            var mayHave = present is null || (present.IsImplicit && options.MayClaimImplicit);
            if (!mayHave) throw new PathExistsException(path, present!.Kind);
            if (present is null) usage.AddDirectory(path);
            var now = Wall;
            var entry = new NamespaceEntry
            {
                Path = path,
                Kind = NamespaceEntryKind.Directory,
                CreatedAt = present?.CreatedAt ?? now,
                UpdatedAt = now,
            };
            batch.Put(MetadataKeys.Directory(customer, path), Files.Rows.Write(entry));
            PutDirectoryProperties(batch, customer, path, options.Properties);
            await WriteAsync(account, batch, usage);
            return entry;
        }
    }

    /// <inheritdoc />
    public async Task DeleteDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        if (path.IsRoot) throw new DirectoryNotEmptyException(path);
        await RemoveAsync(customer, path, made: null, [], (batch, usage) =>
        {
            if (Require(customer, path).Kind == NamespaceEntryKind.File) throw new NotADirectoryException(path);
            if (HasChildren(customer, path)) throw new DirectoryNotEmptyException(path);
            RemoveDirectory(batch, usage, customer, path);
            return true;
        });
    }

    /// <inheritdoc />
    public async Task ReleaseDirectoryAsync(
        CustomerId customer, FilePath path, NamespaceEntry? ifIs = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        if (path.Parent.IsRoot) throw new ArgumentException($"{path} is the root or a directory of it, which are explicit.", nameof(path));
        await RemoveAsync(customer, path, made: null, [], (batch, usage) =>
        {
            var present = Require(customer, path);
            if (ifIs is not null && present != ifIs) throw new EntryChangedException(path);
            if (present.Kind == NamespaceEntryKind.File) throw new NotADirectoryException(path);
            if (!HasChildren(customer, path))
            {
                RemoveDirectory(batch, usage, customer, path);
                return true;
            }

            if (present.IsImplicit) return false;
            batch.Put(MetadataKeys.Directory(customer, path), Files.Rows.Write(present with { IsImplicit = true }));
            PutDirectoryProperties(batch, customer, path, FileProperties.Empty);
            return false;
        });
    }

    /// <inheritdoc />
    public async Task DeleteFileAsync(
        CustomerId customer, FilePath path, string? ifTag = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        await RemoveAsync(customer, path, made: null, [], (batch, usage) =>
        {
            var entry = RequireFile(customer, path);
            RequireTag(path, ifTag, entry.Tag);
            batch.Delete(MetadataKeys.File(customer, path));
            RemoveFile(batch, customer, entry);
            usage.RemoveFile(path, entry.SizeBytes);
            return true;
        });
    }

    /// <inheritdoc />
    public async Task<NamespaceEntry> RenameFileAsync(
        CustomerId customer, FilePath from, FilePath to, bool mayReplace = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        cancellationToken.ThrowIfCancellationRequested();
        NamespaceEntry? renamed = null;
        await RemoveAsync(customer, from, to, [(to.Parent, false), (to, true)], (batch, usage) =>
        {
            var entry = renamed = RequireFile(customer, from);
            if (from == to) return false;
            usage.RemoveFile(from, entry.SizeBytes).AddFile(to, entry.SizeBytes);
            MakeRoom(batch, usage, customer, to, new(mayReplace, null), []);

            renamed = entry with { Path = to, UpdatedAt = Wall };
            var key = MetadataKeys.FileRow(customer, entry.FileId);
            batch.Delete(MetadataKeys.File(customer, from));
            batch.Put(MetadataKeys.File(customer, to), Files.Rows.Write(renamed));
            batch.Put(key, (RequireRow(key) with { Path = to }).Write());
            return true;
        });
        return renamed!;
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

        return Task.FromResult<NamespaceEntry?>(RootOf(customer));
    }

    /// <inheritdoc />
    public Task<DescribedEntry?> DescribeAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellationToken.ThrowIfCancellationRequested();
        accounts.Of(customer);
        if (path.IsRoot) return Task.FromResult<DescribedEntry?>(new(RootOf(customer), FileProperties.Empty));
        using var moment = store.CreateSnapshot();
        var entry = Find(moment.Get, customer, path);
        return Task.FromResult(entry is null ? null : new DescribedEntry(entry, ReadProperties(moment.Get, customer, entry)));
    }

    /// <inheritdoc />
    public async Task<NamespaceEntry> SetPropertiesAsync(
        CustomerId customer, FilePath path, PropertyChanges changes, string? ifTag = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(changes);
        cancellationToken.ThrowIfCancellationRequested();
        var account = accounts.Of(customer);
        if (path.IsRoot) throw new ArgumentException("The root has no properties.", nameof(path));
        var wanted = new LatchSet().Path(customer, path, isExclusive: true);
        if (changes.Note is { } note) wanted.Note(Checked(note).Name);
        using var held = await latches.TakeAsync(wanted);
        var entry = Require(customer, path);
        if (entry.IsImplicit) throw new PathNotFoundException(path);
        RequireTag(path, ifTag, entry.Kind == NamespaceEntryKind.File ? entry.Tag : null);
        var properties = changes.ApplyTo(ReadProperties(store.Get, customer, entry));
        if (changes.IsUpdate) entry = entry with { UpdatedAt = Wall };
        var batch = new WriteBatch();
        if (changes.Note is { } change && !TryChange(batch, change)) throw new NoteChangedException(change.Name);
        if (entry.Kind == NamespaceEntryKind.Directory)
        {
            PutDirectoryProperties(batch, customer, path, properties);
            batch.Put(MetadataKeys.Directory(customer, path), Files.Rows.Write(entry));
        }
        else
        {
            var key = MetadataKeys.FileRow(customer, entry.FileId);
            batch.Put(key, (RequireRow(key) with { Properties = properties }).Write());
            batch.Put(MetadataKeys.File(customer, path), Files.Rows.Write(entry));
        }

        await WriteAsync(account, batch, new UsageChanges(customer));
        return entry;
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
        if (row.SizeBytes != entry.SizeBytes) throw Missing(key, $"a file has {row.SizeBytes} bytes, and its name says {entry.SizeBytes}");
        var file = new StoredFile { Entry = entry, Properties = row.Properties, Inline = row.Inline, BlockCount = row.BlockCount };
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

    NamespaceEntry RootOf(CustomerId customer)
    {
        var createdAt = (ReadCustomer(customer) ?? throw new CustomerNotFoundException(customer)).CreatedAt;
        return new() { Path = FilePath.Root, Kind = NamespaceEntryKind.Directory, CreatedAt = createdAt, UpdatedAt = createdAt };
    }

    static FileProperties ReadProperties(GetRow get, CustomerId customer, NamespaceEntry entry)
    {
        if (entry.Kind == NamespaceEntryKind.File)
        {
            var file = MetadataKeys.FileRow(customer, entry.FileId);
            return ReadRow(file, get(file)).Properties;
        }

        var key = MetadataKeys.DirectoryProperties(customer, entry.Path);
        return get(key) is { } row ? Files.Rows.ReadProperties(key, row) : FileProperties.Empty;
    }

    static void PutDirectoryProperties(WriteBatch batch, CustomerId customer, FilePath path, FileProperties properties)
    {
        var key = MetadataKeys.DirectoryProperties(customer, path);
        if (properties.Count == 0) batch.Delete(key);
        else batch.Put(key, Files.Rows.Write(properties));
    }

    static void RemoveDirectory(WriteBatch batch, UsageChanges usage, CustomerId customer, FilePath path)
    {
        batch.Delete(MetadataKeys.Directory(customer, path));
        batch.Delete(MetadataKeys.DirectoryProperties(customer, path));
        usage.RemoveDirectory(path);
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
