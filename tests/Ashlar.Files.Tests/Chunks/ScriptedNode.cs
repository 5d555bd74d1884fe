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
    int calls, open;

    /// <summary>Calls that it has not answered.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>Comes before each call: it may wait, or throw.</summary>
    public Func<NodeCall, Task>? Before { get; set; }

    /// <summary>Comes after each call that has succeeded, before it is answered.</summary>
    public Func<NodeCall, Task>? After { get; set; }

    /// <summary>Changes what was read.</summary>
    public Action<Memory<byte>>? Garble { get; set; }

    /// <summary>Changes what the node says of its health.</summary>
    public Func<NodeHealth, NodeHealth>? Health { get; set; }

    /// <summary>Whether it only looks whether a block is there when it is to verify it.</summary>
    public bool BelievesItsListing { get; set; }

    /// <summary>Whether it takes whichever copy is there away.</summary>
    public bool IgnoresMarks { get; set; }

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

    public ValueTask<UploadTicket> BeginAsync(int expectedBytes, CancellationToken cancellation) =>
        CallAsync(NodeCall.Begin, () => inner.BeginAsync(expectedBytes, cancellation));

    public async ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await CallAsync(
            NodeCall.Append,
            async () =>
            {
                await inner.AppendAsync(ticket, offsetBytes, content, cancellation);
                return true;
            });

    public ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, CustomerBlock block, BlockDigest? digest, CancellationToken cancellation) =>
        CallAsync(NodeCall.Install, () => inner.InstallAsync(ticket, block, digest, cancellation));

    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation) => await CallAsync(
        NodeCall.Abort,
        async () =>
        {
            await inner.AbortAsync(ticket, cancellation);
            return true;
        });

    public ValueTask<BlockPart> ReadAsync(CustomerBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellation) =>
        CallAsync(
            NodeCall.Read,
            async () =>
            {
                var part = await inner.ReadAsync(block, offsetBytes, destination, cancellation);
                Garble?.Invoke(destination);
                return part;
            });

    public ValueTask<StoredBlock?> FindAsync(CustomerBlock block, CancellationToken cancellation) =>
        CallAsync(NodeCall.Find, () => inner.FindAsync(block, cancellation));

    public ValueTask<StoredBlock> VerifyAsync(CustomerBlock block, CancellationToken cancellation) =>
        CallAsync(
            NodeCall.Verify,
            async () => BelievesItsListing && await inner.FindAsync(block, cancellation) is { } listed
                ? listed
                : await inner.VerifyAsync(block, cancellation));

    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(CustomerBlock? after, int limit, CancellationToken cancellation) =>
        CallAsync(NodeCall.List, () => inner.ListAsync(after, limit, cancellation));

    public ValueTask<bool> RemoveAsync(CustomerBlock block, ulong? onlyMark, CancellationToken cancellation) =>
        CallAsync(NodeCall.Remove, () => inner.RemoveAsync(block, IgnoresMarks ? null : onlyMark, cancellation));

    public ValueTask<bool> RestoreAsync(CustomerBlock block, CancellationToken cancellation) =>
        CallAsync(NodeCall.Restore, () => inner.RestoreAsync(block, cancellation));

    public ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation) =>
        CallAsync(NodeCall.Purge, () => inner.PurgeAsync(limit, cancellation));

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    async ValueTask<T> CallAsync<T>(NodeCall call, Func<ValueTask<T>> answer)
    {
        Interlocked.Increment(ref calls);
        lock (Calls) Calls.Add(call);
        Interlocked.Increment(ref open);
        try
        {
            if (Before is { } before) await before(call);
            var answered = await answer();
            if (After is { } after) await after(call);
            return answered;
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }
}
