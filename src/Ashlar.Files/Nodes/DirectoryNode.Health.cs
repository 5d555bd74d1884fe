namespace Ashlar.Files;

// What a node says about itself.
public sealed partial class DirectoryNode
{
    readonly Lock counting = new();
    Task<long>? count;
    long lastFreeBytes;

    /// <inheritdoc />
    public async ValueTask<NodeHealth> GetHealthAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var (free, problem, state) = (0L, suspicion, suspicion is null ? NodeState.Up : NodeState.Suspect);
        try
        {
            if (await CountAsync(cancellation) is { } counted)
            {
                free = counted;
            }
            else if (clock.GetElapsedTime(Volatile.Read(ref answeredAt)) >= options.HangLimit)
            {
                (problem, state) = ($"the disk has answered nothing for {options.HangLimit.TotalSeconds:0} s", NodeState.Unavailable);
            }
            else
            {
                // It has much to do. That is no reason to make its copies anew elsewhere, which would be more to do.
                free = Interlocked.Read(ref lastFreeBytes);
                problem ??= $"{Volatile.Read(ref queueLength)} requests are waiting";
            }
        }
        catch (StorageNodeException e)
        {
            (problem, state) = (e.Message, NodeState.Unavailable);
        }

        return new NodeHealth(
            state, problem, free, Volatile.Read(ref queueLength), readLatency.Value, writeLatency.Value, syncLatency.Value,
            Volatile.Read(ref errors), directory.Device);
    }

    // The free space; null if that takes longer than a moment. One request at a time asks for it, whatever else is waiting.
    async Task<long?> CountAsync(CancellationToken cancellation)
    {
        Task<long> running;
        lock (counting)
        {
            if (count is not { IsCompleted: false }) count = RunAsync(FreeBytes, null, CancellationToken.None, isUrgent: true).AsTask();
            running = count;
        }

        if (!running.IsCompleted)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var patience = Task.Delay(options.HealthPatience, clock, enough.Token);
            var isDone = await Task.WhenAny(running, patience) == running;
            await enough.CancelAsync();
            if (!isDone)
            {
                cancellation.ThrowIfCancellationRequested();
                return null;
            }
        }

        var free = await running;
        Interlocked.Exchange(ref lastFreeBytes, free);
        return free;
    }
}
