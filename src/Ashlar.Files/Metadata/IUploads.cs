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
    /// <param name="request">What it is to become.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    /// <exception cref="UploadIdInUseException">The number is another upload's, or this one has made its file.</exception>
    /// <exception cref="QuotaExceededException">There is no room for what is expected, or there are too many open uploads.</exception>
    Task<UploadIntent> OpenIntentAsync(CustomerId customer, IntentRequest request, CancellationToken cancellationToken = default);

    /// <summary>An upload that is open; null if there is none, or it has ended.</summary>
    Task<UploadIntent?> FindIntentAsync(CustomerId customer, ulong id, CancellationToken cancellationToken = default);

    /// <summary>The file that an upload of this number has made, under the name that it has now; null if there is none.</summary>
    Task<NamespaceEntry?> FindCommittedAsync(CustomerId customer, ulong id, CancellationToken cancellationToken = default);

    /// <summary>Lets the lease begin anew, by the clock of the store.</summary>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent.</exception>
    Task<UploadIntent> RenewIntentAsync(IntentToken intent, TimeSpan lease, CancellationToken cancellationToken = default);

    /// <summary>
    /// Pins blocks, so that the collector leaves them alone while the intent is open: the block that the store has of the content, or
    /// else one that is to be uploaded under the returned name, whose generation the store draws: no name comes twice.
    /// </summary>
    /// <returns>In the order of the blocks.</returns>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent.</exception>
    /// <exception cref="QuotaExceededException">The customer has no room for them.</exception>
    Task<IReadOnlyList<PinnedBlock>> PinAsync(
        IntentToken intent, IReadOnlyList<WantedBlock> blocks, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds a part, or replaces the one of its number. Rows of its blocks are live from then on, kept by the pins until the upload ends or
    /// the part is replaced. The lease ends no sooner than it would if it began now.
    /// </summary>
    /// <param name="intent">The upload.</param>
    /// <param name="part">The part; each of its blocks is pinned. The store says when it was put.</param>
    /// <param name="written">Copies that the upload answers for, as <see cref="FileCommit.Written"/>.</param>
    /// <param name="requiredCopies">Copies that each block must have.</param>
    /// <param name="wantedCopies">Copies that each block should have.</param>
    /// <param name="lease">How long the pins hold from now on.</param>
    /// <param name="holders">As <see cref="FileCommit.Holders"/>.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <returns>The part as it is now, its blocks under the names that stay.</returns>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent.</exception>
    /// <exception cref="BlockNotPinnedException">The intent has not pinned a block.</exception>
    /// <exception cref="TooFewCopiesException">A block has fewer copies than are required.</exception>
    /// <exception cref="ArgumentException">The upload is not in parts, or there is no such part.</exception>
    Task<UploadPart> PutPartAsync(
        IntentToken intent, UploadPart part, IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> written, int requiredCopies,
        int wantedCopies, TimeSpan lease, IReadOnlyCollection<NodeId>? holders = null, CancellationToken cancellationToken = default);

    /// <summary>Parts of an upload, in the order of their numbers; none once all that it has left is taken back.</summary>
    /// <param name="customer">Whose.</param>
    /// <param name="id">The upload.</param>
    /// <param name="after">The number of the last of the page before; 0 for the first page.</param>
    /// <param name="limit">Most parts.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<UploadPart>> ListPartsAsync(
        CustomerId customer, ulong id, int after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Makes the file visible and ends the intent, in one transaction. Called again it gives the same answer.</summary>
    /// <exception cref="IntentLostException">The lease has ended, or somebody else holds the intent: nothing became visible.</exception>
    /// <exception cref="BlockNotPinnedException">The intent has not pinned a block.</exception>
    /// <exception cref="InvalidPartException">A part was replaced since the blocks were read from it.</exception>
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

    /// <summary>
    /// Uploads in parts that are open, in the order of the bytes of their paths, and of their numbers for one path: a page costs what it
    /// has.
    /// </summary>
    /// <exception cref="CustomerNotFoundException">There is no such customer.</exception>
    Task<IReadOnlyList<UploadIntent>> ListPartUploadsAsync(
        CustomerId customer, PartUploadQuery query, CancellationToken cancellationToken = default);

    /// <summary>Uploads that have not ended, in the order of customers and numbers.</summary>
    /// <param name="only">Those of one customer; null is all.</param>
    /// <param name="after">The last of the page before; null for the first page.</param>
    /// <param name="onlyEnded">Only those whose lease has ended, by the clock of the store, and what is left of committed ones.</param>
    /// <param name="limit">Most uploads.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<UploadIntent>> ListIntentsAsync(
        CustomerId? only, IntentToken? after, bool onlyEnded, int limit, CancellationToken cancellationToken = default);
}
