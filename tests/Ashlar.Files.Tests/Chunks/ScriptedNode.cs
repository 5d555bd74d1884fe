namespace Ashlar.Files.Tests.Chunks;

/// <summary>What a storage node is asked for.</summary>
enum NodeCall
{
    Health = 0,
    Begin,
    Append,
    Install,
    Abort,
    Read,
    Find,
    Verify,
    List,
    Remove,
    Restore,
    Purge,
}

/// <summary>A storage node behind a wire that a test holds: calls can be made to wait, to fail, or to answer something else.</summary>
sealed class ScriptedNode(IStorageNode inner) : IStorageNode
{
    int calls;

    /// <summary>Comes before each call: it may wait, or throw.</summary>
    public Func<NodeCall, Task>? Before { get; set; }

    /// <summary>Changes what was read.</summary>
    public Action<Memory<byte>>? Garble { get; set; }

    /// <summary>Changes what the node says of its health.</summary>
    public Func<NodeHealth, NodeHealth>? Health { get; set; }

    /// <summary>Whether it only looks whether a block is there when it is to verify it.</summary>
    public bool BelievesItsListing { get; set; }

    /// <summary>Calls that were made.</summary>
    public List<NodeCall> Calls { get; } = [];

    public IStorageNode Inner => inner;

    public NodeId Id => inner.Id;

    /// <summary>From the n-th call on, counted from now, the machine is gone.</summary>
    public void DieAfter(int number)
    {
        var end = Volatile.Read(ref calls) + number;
        Before = _ => calls > end ? throw new StorageNodeException(Id, NodeErrorKind.Unavailable, "no answer") : Task.CompletedTask;
    }

    public ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation) => CallAsync(
        NodeCall.Health,
        async () => await inner.GetHealthAsync(cancellation) is var health && Health is { } change ? change(health) : health);

    public ValueTask<UploadTicket> BeginAsync(int maxLengthBytes, CancellationToken cancellation) =>
        CallAsync(NodeCall.Begin, () => inner.BeginAsync(maxLengthBytes, cancellation));

    public async ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await CallAsync(
            NodeCall.Append,
            async () =>
            {
                await inner.AppendAsync(ticket, offsetBytes, content, cancellation);
                return true;
            });

    public ValueTask<StoredBlock> InstallAsync(UploadTicket ticket, BlockName name, CustomerId customer, CancellationToken cancellation) =>
        CallAsync(NodeCall.Install, () => inner.InstallAsync(ticket, name, customer, cancellation));

    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation) => await CallAsync(
        NodeCall.Abort,
        async () =>
        {
            await inner.AbortAsync(ticket, cancellation);
            return true;
        });

    public ValueTask<BlockPart> ReadAsync(BlockName name, int offsetBytes, Memory<byte> destination, CancellationToken cancellation) =>
        CallAsync(
            NodeCall.Read,
            async () =>
            {
                var part = await inner.ReadAsync(name, offsetBytes, destination, cancellation);
                Garble?.Invoke(destination);
                return part;
            });

    public ValueTask<StoredBlock?> FindAsync(BlockName name, CancellationToken cancellation) =>
        CallAsync(NodeCall.Find, () => inner.FindAsync(name, cancellation));

    public ValueTask<StoredBlock> VerifyAsync(BlockName name, CancellationToken cancellation) =>
        CallAsync(
            NodeCall.Verify,
            async () => BelievesItsListing && await inner.FindAsync(name, cancellation) is { } listed
                ? listed
                : await inner.VerifyAsync(name, cancellation));

    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(BlockName? after, int limit, CancellationToken cancellation) =>
        CallAsync(NodeCall.List, () => inner.ListAsync(after, limit, cancellation));

    public ValueTask<bool> RemoveAsync(BlockName name, CancellationToken cancellation) =>
        CallAsync(NodeCall.Remove, () => inner.RemoveAsync(name, cancellation));

    public ValueTask<bool> RestoreAsync(BlockName name, CancellationToken cancellation) =>
        CallAsync(NodeCall.Restore, () => inner.RestoreAsync(name, cancellation));

    public ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation) =>
        CallAsync(NodeCall.Purge, () => inner.PurgeAsync(limit, cancellation));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    async ValueTask<T> CallAsync<T>(NodeCall call, Func<ValueTask<T>> answer)
    {
        Interlocked.Increment(ref calls);
        lock (Calls) Calls.Add(call);
        if (Before is { } before) await before(call);
        return await answer();
    }
}
