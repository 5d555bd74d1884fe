namespace Ashlar.Files;

/// <summary>
/// The operations on files, out of metadata, which decide, and blocks, which are durable before anything refers to them. It holds no
/// state but counts: any number of them may work on one store.
/// </summary>
public sealed partial class FileService(IMetadataStore metadata, IChunkManager chunks, FileServiceOptions? options = null)
{
    readonly FileServiceOptions options = options ?? new();

    /// <summary>What has passed through it.</summary>
    public FileTraffic Traffic { get; } = new();

    /// <summary>Makes a directory: its parent is there, and its name is free.</summary>
    /// <inheritdoc cref="INamespace.CreateDirectoryAsync" path="/exception"/>
    public Task<NamespaceEntry> CreateDirectoryAsync(
        CustomerId customer, FilePath path, CreateDirectoryOptions? create = null, CancellationToken cancellationToken = default) =>
        metadata.CreateDirectoryAsync(customer, path, create, cancellationToken);

    /// <inheritdoc cref="INamespace.ReleaseDirectoryAsync"/>
    public Task ReleaseDirectoryAsync(
        CustomerId customer, FilePath path, NamespaceEntry? ifIs = null, CancellationToken cancellationToken = default) =>
        metadata.ReleaseDirectoryAsync(customer, path, ifIs, cancellationToken);

    /// <inheritdoc cref="INamespace.DeleteFileAsync"/>
    public Task DeleteFileAsync(
        CustomerId customer, FilePath path, string? ifTag = null, CancellationToken cancellationToken = default) =>
        metadata.DeleteFileAsync(customer, path, ifTag, cancellationToken);

    /// <inheritdoc cref="INamespace.RenameFileAsync"/>
    public Task<NamespaceEntry> RenameFileAsync(
        CustomerId customer, FilePath from, FilePath to, bool mayReplace = false, CancellationToken cancellationToken = default) =>
        metadata.RenameFileAsync(customer, from, to, mayReplace, cancellationToken);

    /// <inheritdoc cref="INamespace.StatAsync"/>
    public Task<NamespaceEntry?> StatAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default) =>
        metadata.StatAsync(customer, path, cancellationToken);

    /// <inheritdoc cref="INamespace.DescribeAsync"/>
    public Task<DescribedEntry?> DescribeAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default) =>
        metadata.DescribeAsync(customer, path, cancellationToken);

    /// <inheritdoc cref="INamespace.SetPropertiesAsync"/>
    public Task<NamespaceEntry> SetPropertiesAsync(
        CustomerId customer, FilePath path, PropertyChanges changes, string? ifTag = null, CancellationToken cancellationToken = default) =>
        metadata.SetPropertiesAsync(customer, path, changes, ifTag, cancellationToken);

    /// <inheritdoc cref="INamespace.ListAsync"/>
    public Task<ListPage> ListAsync(CustomerId customer, ListRequest request, CancellationToken cancellationToken = default) =>
        metadata.ListAsync(customer, request, cancellationToken);

    /// <summary>Makes a file of the content of another, without reading it.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="from">The source.</param>
    /// <param name="to">Where the copy is to be.</param>
    /// <param name="copy">How; null is a new file with the properties and the tag of the source.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <inheritdoc cref="INamespace.CopyFileAsync" path="/exception"/>
    public async Task<NamespaceEntry> CopyFileAsync(
        CustomerId customer, FilePath from, FilePath to, CopyFileOptions? copy = null, CancellationToken cancellationToken = default)
    {
        copy ??= new();
        while (true)
        {
            var wanted = new FileCopy
            {
                UploadId = copy.UploadId ?? DrawId(),
                IfTag = copy.IfTag,
                Condition = copy.Condition,
                Properties = copy.Properties,
                Tag = copy.Tag,
                CreateParents = copy.CreateParents,
            };
            try
            {
                return await metadata.CopyFileAsync(customer, from, to, wanted, cancellationToken);
            }
            catch (UploadIdInUseException) when (copy.UploadId is null)
            {
                // Drawn twice.
            }
        }
    }

    /// <summary>Deletes a file, or a directory that is empty.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="DirectoryNotEmptyException">Something is in it, or it is the root.</exception>
    public async Task DeleteDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        while (true)
        {
            var entry = await metadata.StatAsync(customer, path, cancellationToken) ?? throw new PathNotFoundException(path);
            try
            {
                if (entry.Kind == NamespaceEntryKind.File) await metadata.DeleteFileAsync(customer, path, null, cancellationToken);
                else await metadata.DeleteDirectoryAsync(customer, path, cancellationToken);
                return;
            }
            catch (Exception changed) when (changed is NotAFileException or NotADirectoryException)
            {
                // Between the two somebody made the other of the same name.
            }
        }
    }

    /// <summary>
    /// Makes a file of what a stream gives. When this returns it is durable on as many nodes as are required, and visible; if it fails,
    /// nothing is visible, and what was written goes.
    /// </summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Its name.</param>
    /// <param name="content">Read to its end, in constant memory.</param>
    /// <param name="create">How; null is a new file of any length.</param>
    /// <param name="cancellationToken">Ends the upload, unless it is being committed.</param>
    /// <exception cref="ContentLengthException">The content is not as long as it has to be.</exception>
    /// <exception cref="UploadIdInUseException">The given number is another upload's.</exception>
    /// <inheritdoc cref="IUploads.CommitAsync" path="/exception"/>
    public async Task<NamespaceEntry> CreateFileAsync(
        CustomerId customer, FilePath path, Stream content, CreateFileOptions? create = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(content);
        await using var upload = new FileUpload(metadata, chunks, options, Traffic, customer, path, create ?? new());
        return await upload.RunAsync(content, cancellationToken);
    }

    /// <summary>Opens a range of a file for reading.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="length">How long it is; it ends with the file.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="INamespace.GetFileAsync" path="/exception"/>
    public async Task<FileReader> ReadFileAsync(
        CustomerId customer, FilePath path, long offset = 0, long length = long.MaxValue, CancellationToken cancellationToken = default)
    {
        var file = await metadata.GetFileAsync(customer, path, offset, length, cancellationToken);
        return new(chunks, Traffic, customer, file, offset, length);
    }

    /// <summary>What is in a directory, page by page.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">The directory.</param>
    /// <param name="after"><see cref="ListPage.Next"/> of the page before; empty for the first.</param>
    /// <param name="limit">Most names.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotADirectoryException">It is a file.</exception>
    public async Task<ListPage> ListDirectoryAsync(
        CustomerId customer, FilePath path, ReadOnlyMemory<byte> after = default, int limit = 1000,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        var request = new ListRequest { Prefix = path.ChildPrefix, After = after, Limit = limit };
        var page = await metadata.ListAsync(customer, request, cancellationToken);
        // What is listed proves that the directory was there; an empty page does not.
        if (page.Entries.Count > 0) return page;
        var entry = await metadata.StatAsync(customer, path, cancellationToken) ?? throw new PathNotFoundException(path);
        return entry.Kind == NamespaceEntryKind.Directory ? page : throw new NotADirectoryException(path);
    }

    ulong DrawId() => UploadId.Draw(options.TimeProvider, options.Entropy);
}
