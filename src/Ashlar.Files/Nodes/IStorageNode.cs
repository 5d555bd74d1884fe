namespace Ashlar.Files;

/// <summary>A piece of an upload of one block to one node.</summary>
/// <param name="Value">Drawn by chance: one of before a restart means nothing to the node.</param>
public readonly record struct UploadTicket(ulong Value);

/// <summary>A block as a node has it.</summary>
/// <param name="Id">Whose it is, what it holds, and of which generation it is.</param>
/// <param name="Digest">What its content is known by.</param>
/// <param name="InstalledAt">Since when the node has it, by its clock.</param>
/// <param name="Mark">
/// Drawn when it was installed: a copy that took the place of this one has another. 0 for one whose trailer cannot be read.
/// </param>
public sealed record StoredBlock(CustomerBlock Id, BlockDigest Digest, DateTimeOffset InstalledAt, ulong Mark);

/// <summary>A block of an inventory.</summary>
/// <param name="Id">By the name of its file.</param>
/// <param name="Block">By what the file says; its content was not read. Null where that cannot be told.</param>
/// <param name="Problem">Why it cannot.</param>
public sealed record InventoryEntry(CustomerBlock Id, StoredBlock? Block, string? Problem);

/// <summary>
/// Keeps blocks, for chunk managers that may be elsewhere: only what is in requests and answers is shared. All answers are about this node
/// alone. Requests may come at the same time, those of one upload one after another.
/// </summary>
/// <remarks>
/// Every method raises <see cref="StorageNodeException"/>. Whoever gives memory to a request keeps it untouched until the request has
/// ended, also when it was cancelled.
/// </remarks>
public interface IStorageNode : IAsyncDisposable
{
    /// <summary>The node.</summary>
    NodeId Id { get; }

    /// <summary>What it says about itself.</summary>
    ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation);

    /// <summary>Begins an upload of a block of which neither content nor length are known yet.</summary>
    /// <param name="expectedBytes">So much space is reserved for it until it ends; for what is more, as it comes.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    ValueTask<UploadTicket> BeginAsync(int expectedBytes, CancellationToken cancellation);

    /// <summary>
    /// Takes what comes next of a block. After a failure the upload is over, unless it is that the node is too busy
    /// (<see cref="NodeErrorKind.Busy"/>).
    /// </summary>
    /// <param name="ticket">The upload.</param>
    /// <param name="offsetBytes">How much came before.</param>
    /// <param name="content">What comes next.</param>
    /// <param name="cancellation">Looked at before it begins.</param>
    ValueTask AppendAsync(UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>
    /// Ends an upload: verifies that the content is what its name says, and keeps it. When this returns the block survives the loss of
    /// power; where the node has the block already it is replaced by its like. After a failure the upload is over, as above.
    /// </summary>
    /// <param name="ticket">The upload.</param>
    /// <param name="block">Whose it is, and what it is to be called.</param>
    /// <param name="digest">
    /// What whoever sent the content, and is believed, has found it to be on the way: the node compares the checksums of all units with
    /// those of what came, and does not compute the hash once more. Null: it does.
    /// </param>
    /// <param name="cancellation">Looked at before it begins.</param>
    ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, CustomerBlock block, BlockDigest? digest, CancellationToken cancellation);

    /// <summary>Forgets an upload. One that is not known is forgotten already.</summary>
    ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation);

    /// <summary>Reads a part of a block; it was verified.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offsetBytes">Where the part begins: at the beginning of a unit.</param>
    /// <param name="destination">Filled with whole units, and at the end of the block with what is left.</param>
    /// <param name="cancellation">Looked at before it begins.</param>
    /// <returns>What the block is known by, and how many bytes were read: fewer than asked for only at its end.</returns>
    ValueTask<BlockPart> ReadAsync(CustomerBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellation);

    /// <summary>What the node has of a block by what the block's file says; null when it has none.</summary>
    ValueTask<StoredBlock?> FindAsync(CustomerBlock block, CancellationToken cancellation);

    /// <summary>
    /// Reads all of a block from the medium and compares it with its name. Whatever a cache shows is made durable and left out of account:
    /// what this returns for can be relied on as if it had been installed just now.
    /// </summary>
    ValueTask<StoredBlock> VerifyAsync(CustomerBlock block, CancellationToken cancellation);

    /// <summary>What the node has, in the order of <see cref="CustomerBlock"/>.</summary>
    /// <param name="after">Begins after this one; null for the first.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellation">Looked at before it begins.</param>
    /// <returns>Empty only where nothing follows.</returns>
    ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(CustomerBlock? after, int limit, CancellationToken cancellation);

    /// <summary>Takes a block away: it can be put back for a while. Durable when it returns.</summary>
    /// <param name="block">The block.</param>
    /// <param name="onlyMark">
    /// Only the copy of this mark, and not one that took its place since somebody looked; 0 for one whose trailer cannot be read. Null for
    /// whichever is there.
    /// </param>
    /// <param name="cancellation">Looked at before it begins.</param>
    /// <returns>Whether one was taken away.</returns>
    ValueTask<bool> RemoveAsync(CustomerBlock block, ulong? onlyMark, CancellationToken cancellation);

    /// <summary>Puts a block back that was taken away and is not purged yet. Durable when it returns.</summary>
    /// <returns>Whether the node has it now.</returns>
    ValueTask<bool> RestoreAsync(CustomerBlock block, CancellationToken cancellation);

    /// <summary>Deletes for good what was taken away long enough ago.</summary>
    /// <param name="limit">At most so many blocks.</param>
    /// <param name="cancellation">Looked at before it begins.</param>
    /// <returns>How many.</returns>
    ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation);
}

/// <summary>What was read of a block.</summary>
/// <param name="LengthBytes">Bytes that were read.</param>
/// <param name="Block">The block, by whose digest they can be verified once more.</param>
public readonly record struct BlockPart(int LengthBytes, StoredBlock Block);
