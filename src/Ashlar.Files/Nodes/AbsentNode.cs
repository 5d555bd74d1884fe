namespace Ashlar.Files;

/// <summary>Stands for a storage node that belongs to the store and is not open: nobody can tell what it has.</summary>
sealed class AbsentNode(NodeId id) : IStorageNode
{
    public NodeId Id => id;

    public ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation) => throw Error();

    public ValueTask<UploadTicket> BeginAsync(int expectedBytes, CancellationToken cancellation) => throw Error();

    public ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation) => throw Error();

    public ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, CustomerBlock block, BlockDigest? digest, CancellationToken cancellation) => throw Error();

    public ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation) => throw Error();

    public ValueTask<BlockPart> ReadAsync(
        CustomerBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellation) => throw Error();

    public ValueTask<StoredBlock?> FindAsync(CustomerBlock block, CancellationToken cancellation) => throw Error();

    public ValueTask<StoredBlock> VerifyAsync(CustomerBlock block, CancellationToken cancellation) => throw Error();

    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(CustomerBlock? after, int limit, CancellationToken cancellation) =>
        throw Error();

    public ValueTask<bool> RemoveAsync(CustomerBlock block, ulong? onlyMark, CancellationToken cancellation) => throw Error();

    public ValueTask<bool> RestoreAsync(CustomerBlock block, CancellationToken cancellation) => throw Error();

    public ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation) => throw Error();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    StorageNodeException Error() => new(id, NodeErrorKind.Unavailable, "it belongs to the store, and is not open");
}
