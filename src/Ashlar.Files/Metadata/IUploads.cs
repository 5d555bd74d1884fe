namespace Ashlar.Files;

/// <summary>
/// Uploads, from the intent to the file. The order is: open, pin, make the data durable, commit; a crash anywhere leaves only surplus,
/// which goes when the lease of the intent has ended.
/// </summary>
public interface IUploads
{
    /// <summary>
    /// Opens an intent. Where one of this number is open for the path it passes to the caller: its fence grows, so that who held it
    /// before is refused.
    /// </summary>
    /// <param name="customer">Whose.</param>
    /// <param name="id">The number, of the caller's choice (<see cref="UploadId"/>): the file gets it, and new blocks.</param>
    /// <param name="path">The file that is to be.</param>
    /// <param name="owner">Who uploads, for people: at most 255 bytes.</param>
    /// <param name="lease">How long the pins hold unless the intent is renewed.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="UploadIdInUseException">The number is another upload's, or this one has ended.</exception>
    Task<UploadIntent> OpenIntentAsync(
        CustomerId customer, ulong id, FilePath path, string owner, TimeSpan lease, CancellationToken cancellationToken = default);

    /// <summary>Lets the lease begin anew, by the clock of the store.</summary>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent.</exception>
    Task<UploadIntent> RenewIntentAsync(IntentToken intent, TimeSpan lease, CancellationToken cancellationToken = default);

    /// <summary>
    /// Pins blocks, so that the collector leaves them alone while the intent is open: the block that the store has of the content, or
    /// else one that is to be uploaded under the returned name.
    /// </summary>
    /// <returns>In the order of the blocks.</returns>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent.</exception>
    Task<IReadOnlyList<PinnedBlock>> PinAsync(
        IntentToken intent, IReadOnlyList<WantedBlock> blocks, CancellationToken cancellationToken = default);

    /// <summary>Makes the file visible and ends the intent, in one transaction. Called again it gives the same answer.</summary>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent: nothing became visible.</exception>
    /// <exception cref="BlockNotPinnedException">The intent has not pinned a block.</exception>
    /// <exception cref="TooFewCopiesException">A block has fewer copies than are required.</exception>
    /// <exception cref="PathNotFoundException">The parent is not there.</exception>
    /// <exception cref="NotADirectoryException">The parent is a file.</exception>
    /// <exception cref="PathExistsException">The name is taken.</exception>
    /// <exception cref="NotAFileException">The name is a directory's.</exception>
    /// <exception cref="TagMismatchException">The file to replace has another tag, or is not there.</exception>
    /// <exception cref="QuotaExceededException">The customer has no room for it.</exception>
    Task<NamespaceEntry> CommitAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes a file visible that has no blocks, in one transaction; it needs no intent. Called again with the number it gives the same
    /// answer, as long as the file is there.
    /// </summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="UploadIdInUseException">The number is another upload's.</exception>
    /// <inheritdoc cref="CommitAsync" path="/exception"/>
    Task<NamespaceEntry> CommitInlineAsync(
        CustomerId customer, ulong id, FileCommit file, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends an intent without a file, or what is left of one after a commit: its pins go, and blocks that only it wrote are
    /// <see cref="BlockState.Deleting"/> from now on. Called until it answers true; then nothing of it is left.
    /// </summary>
    /// <param name="intent">Which; of one whose lease has ended, any fence will do.</param>
    /// <param name="holders">Nodes that may hold what it wrote.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="IntentLostException">The lease holds, and somebody else holds the intent.</exception>
    Task<bool> ReleaseIntentAsync(
        IntentToken intent, IReadOnlyCollection<NodeId> holders, CancellationToken cancellationToken = default);

    /// <summary>Uploads that have not ended, in the order of customers and numbers.</summary>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="onlyEnded">Only those whose lease has ended, by the clock of the store, and what is left of committed ones.</param>
    /// <param name="limit">Most uploads.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<UploadIntent>> ListIntentsAsync(
        IntentToken? after, bool onlyEnded, int limit, CancellationToken cancellationToken = default);
}
