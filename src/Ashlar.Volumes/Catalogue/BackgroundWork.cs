using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// What a pool does by itself and may take long, one piece after the other. A piece that has no room now is tried again; one
/// that fails is reported, ends, and keeps nothing after it from running. Stopping never fails.
/// </summary>
sealed class BackgroundWork(PoolEvents events, TimeProvider clock) : IAsyncDisposable
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly CancellationTokenSource stopping = new();
    Task last = Task.CompletedTask;

    /// <summary>Whether something runs or waits to run.</summary>
    public bool IsBusy => !Idle.IsCompleted;

    /// <summary>Completes, or fails, with what was asked for last.</summary>
    public Task Idle
    {
        get
        {
            lock (gate) return last;
        }
    }

    /// <summary>Runs something when everything before it has ended. It must be able to begin anew after it failed or was stopped.</summary>
    /// <param name="what">For the report of a failure: "giving back the space of a deleted volume".</param>
    /// <param name="volume">Name of the volume that it concerns, or null.</param>
    /// <param name="action">The work.</param>
    public Task Enqueue(string what, string? volume, Func<CancellationToken, ValueTask> action)
    {
        lock (gate)
        {
            var before = last;
            last = Task.Run(() => RunAsync(before, what, volume, action));
            // Seen: whoever does not wait for it reads of its failure in the event.
            _ = last.ContinueWith(
                static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return last;
        }
    }

    /// <summary>Ends what runs at its next step; what remains is for the next opening.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAny(Idle);
        stopping.Dispose();
    }

    async Task RunAsync(Task before, string what, string? volume, Func<CancellationToken, ValueTask> action)
    {
        await Task.WhenAny(before); // However it ended.
        while (true)
        {
            var token = stopping.Token;
            token.ThrowIfCancellationRequested();
            try
            {
                await action(token);
                return;
            }
            catch (DeviceFullException full)
            {
                events.ReportOnce(
                    PoolEventKind.Volume,
                    PoolEventSeverity.Warning,
                    $"{what}/{volume}",
                    $"{what} waits for space: {full.Message}",
                    volume,
                    full);
            }
            catch (Exception cause) when (cause is not OperationCanceledException)
            {
                events.Report(
                    PoolEventKind.Volume,
                    PoolEventSeverity.Warning,
                    $"{what} did not come to its end; it is tried again when the pool is opened: {cause.Message}",
                    volume,
                    cause);
                throw;
            }

            await Task.Delay(RetryDelay, clock, token);
        }
    }
}
