namespace Ashlar.Files;

/// <summary>
/// The tree of names. Every call is one transaction: of two that conflict exactly one wins, and what a call has answered every later
/// one sees.
/// </summary>
public interface INamespace
{
    /// <summary>Makes a directory.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="options">How; null is a new one in a directory that is there.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">Its parent is not there.</exception>
    /// <exception cref="PathExistsException">The name is taken.</exception>
    /// <exception cref="NotADirectoryException">Its parent is a file.</exception>
    /// <exception cref="QuotaExceededException">The customer has as many as it may have.</exception>
    Task<NamespaceEntry> CreateDirectoryAsync(
        CustomerId customer, FilePath path, CreateDirectoryOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Deletes a directory that is empty, with the implicit directories above it that become so.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotADirectoryException">It is a file.</exception>
    /// <exception cref="DirectoryNotEmptyException">Something is in it, or it is the root.</exception>
    Task DeleteDirectoryAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes an explicit directory an implicit one: gone if nothing is in it, with the implicit directories above it that become empty, and
    /// else with the last of what is in it. Its properties go at once. Nothing changes for an implicit one.
    /// </summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="ifIs">Only if it is as the caller has found it; null for however it is.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotADirectoryException">It is a file.</exception>
    /// <exception cref="EntryChangedException">It is not as the caller has found it.</exception>
    /// <exception cref="ArgumentException">It is the root, or a directory of the root: these are explicit.</exception>
    Task ReleaseDirectoryAsync(
        CustomerId customer, FilePath path, NamespaceEntry? ifIs = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes a file: its name and its references to blocks, with the implicit directories above it that become empty. Blocks are left to
    /// the collector.
    /// </summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="ifTag">Only if its entity tag is this one; null is any, and so is <c>*</c>.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name.</exception>
    /// <exception cref="NotAFileException">It is a directory.</exception>
    /// <exception cref="TagMismatchException">It has another tag.</exception>
    Task DeleteFileAsync(CustomerId customer, FilePath path, string? ifTag = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a file of the content of another, in one transaction: references alone are written. Called again with the number it gives the
    /// same answer, as long as the copy is there. A file may be copied onto itself, for other properties.
    /// </summary>
    /// <param name="customer">Whose.</param>
    /// <param name="from">The source.</param>
    /// <param name="to">Where the copy is to be.</param>
    /// <param name="copy">How.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name, or no parent for the other.</exception>
    /// <exception cref="NotAFileException">One of the names is a directory's.</exception>
    /// <exception cref="NotADirectoryException">The parent of the copy is a file.</exception>
    /// <exception cref="PathExistsException">The name of the copy is taken.</exception>
    /// <exception cref="TagMismatchException">The source or what is to be replaced has another tag, or is not there.</exception>
    /// <exception cref="UploadIdInUseException">The number is another upload's.</exception>
    /// <exception cref="QuotaExceededException">The customer has no room for it.</exception>
    Task<NamespaceEntry> CopyFileAsync(
        CustomerId customer, FilePath from, FilePath to, FileCopy copy, CancellationToken cancellationToken = default);

    /// <summary>Gives a file another name, in one transaction. Implicit directories that become empty go.</summary>
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

    /// <summary>What a path stands for, with its properties; null if it is nothing. The root has none.</summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    Task<DescribedEntry?> DescribeAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken = default);

    /// <summary>Changes what is kept beside a file or an explicit directory.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="path">Which.</param>
    /// <param name="changes">What becomes of it.</param>
    /// <param name="ifTag">Only if the file has this entity tag; null is any, and so is <c>*</c>.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="PathNotFoundException">There is nothing of this name, or an implicit directory.</exception>
    /// <exception cref="TagMismatchException">It has another tag.</exception>
    /// <exception cref="InvalidPropertiesException">They would be too long.</exception>
    /// <exception cref="NoteChangedException">The note that belongs to the change is not as expected.</exception>
    /// <exception cref="ArgumentException">It is the root, which has none, or the note is none.</exception>
    Task<NamespaceEntry> SetPropertiesAsync(
        CustomerId customer, FilePath path, PropertyChanges changes, string? ifTag = null, CancellationToken cancellationToken = default);

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
