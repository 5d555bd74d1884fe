namespace Ashlar.Files;

/// <summary>
/// A storage node that is not waited for without end, whoever asks it for whatever: the one place that knows limits. One that does not
/// answer counts as unavailable, and one that has not answered many calls is not asked any more until it has answered some.
/// </summary>
/// <remarks>
/// Memory that was given to a call stays the call's when the wait for it has ended:
/// <see cref="StorageNodeException.Ended"/> says when that is over, and <see cref="SharedBuffer.ReleaseAfter"/> waits for it.
/// </remarks>
sealed class LimitedNode(IStorageNode inner, ChunkOptions options, TimeProvider clock) : IStorageNode
{
    int late;

    public NodeId Id => inner.Id;

    public ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation) =>
        AskAsync(options.HealthLimit, () => inner.GetHealthAsync(cancellation), cancellation);

    public ValueTask<UploadTicket> BeginAsync(int expectedBytes, CancellationToken cancellation) => AskAsync(
        options.CallLimit,
        () => inner.BeginAsync(expectedBytes, cancellation),
        cancellation,
        tooLate: ticket => _ = BlockCopy.AbortAsync(inner, ticket));

    public async ValueTask AppendAsync(
        UploadTicket ticket, int offsetBytes, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await LendAsync(() => AsAnswer(inner.AppendAsync(ticket, offsetBytes, content, cancellation)), cancellation);

    public ValueTask<StoredBlock> InstallAsync(
        UploadTicket ticket, CustomerBlock block, BlockDigest? digest, CancellationToken cancellation) =>
        AskAsync(options.InstallLimit, () => inner.InstallAsync(ticket, block, digest, cancellation), cancellation);

    public async ValueTask AbortAsync(UploadTicket ticket, CancellationToken cancellation) =>
        await AskAsync(options.CallLimit, () => AsAnswer(inner.AbortAsync(ticket, cancellation)), cancellation);

    public ValueTask<BlockPart> ReadAsync(
        CustomerBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellation) =>
        LendAsync(() => inner.ReadAsync(block, offsetBytes, destination, cancellation), cancellation);

    public ValueTask<StoredBlock?> FindAsync(CustomerBlock block, CancellationToken cancellation) =>
        AskAsync(options.CallLimit, () => inner.FindAsync(block, cancellation), cancellation);

    public ValueTask<StoredBlock> VerifyAsync(CustomerBlock block, CancellationToken cancellation) =>
        AskAsync(options.LongCallLimit, () => inner.VerifyAsync(block, cancellation), cancellation);

    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(CustomerBlock? after, int limit, CancellationToken cancellation) =>
        AskAsync(options.LongCallLimit, () => inner.ListAsync(after, limit, cancellation), cancellation);

    public ValueTask<bool> RemoveAsync(CustomerBlock block, ulong? onlyMark, CancellationToken cancellation) =>
        AskAsync(options.LongCallLimit, () => inner.RemoveAsync(block, onlyMark, cancellation), cancellation);

    public ValueTask<bool> RestoreAsync(CustomerBlock block, CancellationToken cancellation) =>
        AskAsync(options.LongCallLimit, () => inner.RestoreAsync(block, cancellation), cancellation);

    public ValueTask<int> PurgeAsync(int limit, CancellationToken cancellation) =>
        AskAsync(options.LongCallLimit, () => inner.PurgeAsync(limit, cancellation), cancellation);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    static async ValueTask<bool> AsAnswer(ValueTask call)
    {
        await call;
        return true;
    }

    // A wait that is cancelled would leave the memory with the node, and nobody would know: so it ends with the call, or at the limit.
    ValueTask<T> LendAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return AskAsync(options.CallLimit, call, CancellationToken.None);
    }

    async ValueTask<T> AskAsync<T>(
        TimeSpan limit, Func<ValueTask<T>> call, CancellationToken cancellation, Action<T>? tooLate = null)
    {
        cancellation.ThrowIfCancellationRequested();
        if (Volatile.Read(ref late) is var count && count >= options.LateCalls)
            throw new StorageNodeException(Id, NodeErrorKind.Unavailable, $"it has not answered {count} calls");
        var answer = call();
        if (answer.IsCompleted) return await answer;
        var task = answer.AsTask();
        try
        {
            return await task.WaitAsync(limit, clock, cancellation);
        }
        catch (TimeoutException e)
        {
            if (task.IsCompleted) return await task;
            throw new StorageNodeException(
                Id, NodeErrorKind.Unavailable, $"it has not answered for {limit.TotalSeconds:0} s", e, LetGoAsync(task, tooLate));
        }
        catch (OperationCanceledException) when (!task.IsCompleted)
        {
            _ = LetGoAsync(task, tooLate);
            throw;
        }
    }

    async Task LetGoAsync<T>(Task<T> task, Action<T>? tooLate)
    {
        Interlocked.Increment(ref late);
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Interlocked.Decrement(ref late);
        if (task.IsCompletedSuccessfully) tooLate?.Invoke(await task);
    }
}
