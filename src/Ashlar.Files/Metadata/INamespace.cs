namespace Ashlar.Files;

/// <summary>
/// The tree of names. Every call is one transaction: of two that conflict exactly one wins, and what a call has answered every later
/// one sees.
/// </summary>
public interface INamespace
{
    /// <summary>Makes a directory.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">Its parent is not there.</exception>
    /// <exception cref="PathExistsException">The name is taken.</exception>
    /// <exception cref="NotADirectoryException">Its parent is a file.</exception>
    Task<NamespaceEntry> CreateDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default);

    /// <summary>Deletes a directory that is empty.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotADirectoryException">It is a file.</exception>
    /// <exception cref="DirectoryNotEmptyException">Something is in it, or it is the root.</exception>
    Task DeleteDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default);

    /// <summary>Deletes a file: its name and its references to blocks. Blocks are left to the collector.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="ifTag">Only if its entity tag is this one; null is any.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotAFileException">It is a directory.</exception>
    /// <exception cref="TagMismatchException">It has another tag.</exception>
    Task DeleteFileAsync(CustomerId customer, FilePath path, string? ifTag = null, CancellationToken cancellationToken = default);

    /// <summary>Gives a file another name, in one transaction.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="from">Its name.</param>
    /// <param name="to">Its name to be; where this is the same nothing changes.</param>
    /// <param name="mayReplace">Whether a file of that name is replaced.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name, or no parent for the other.</exception>
    /// <exception cref="NotAFileException">One of the names is a directory's.</exception>
    /// <exception cref="NotADirectoryException">The parent of the new name is a file.</exception>
    /// <exception cref="PathExistsException">The other name is taken.</exception>
    Task<NamespaceEntry> RenameFileAsync(
        CustomerId customer, FilePath from, FilePath to, bool mayReplace = false, CancellationToken cancellationToken = default);

    /// <summary>What a path stands for; null if it is nothing.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    Task<NamespaceEntry?> StatAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default);

    /// <summary>A file, with the blocks that a range of it touches.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="offset">Where the range begins; beyond the end of the file it touches nothing.</param>
    /// <param name="length">How long it is, at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotAFileException">It is a directory.</exception>
    Task<StoredFile> GetFileAsync(
        CustomerId customer, FilePath path, long offset = 0, long length = long.MaxValue, CancellationToken cancellationToken = default);

    /// <summary>A page of names, as of one moment, in the order of their bytes; those of directories end in a slash there.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    Task<ListPage> ListAsync(CustomerId customer, ListRequest request, CancellationToken cancellationToken = default);
}
