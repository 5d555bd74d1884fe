using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ashlar.KeyValue.Extensions.Hosting;

/// <summary>
/// Opens a store before any hosted service starts, looks at it from time to time for the log, and closes it when all of them have stopped.
/// </summary>
/// <remarks>Invariants: it is opened once, and nobody looks at it when it is being closed.</remarks>
sealed class StoreLifetime(IServiceProvider provider, string name) : IHostedLifecycleService, IDisposable
{
    readonly CancellationTokenSource stopping = new();
    OpenedStore? opened;
    Task watching = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Invariant.Require(opened is null);
        // Recovery reads the log: other services need not wait for the thread that does so.
        opened = await Task.Run(() => provider.GetRequiredKeyedService<OpenedStore>(name), cancellationToken).ConfigureAwait(false);
        watching = Watch(opened);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await watching.ConfigureAwait(false);
        }
        finally
        {
            // Also where the log failed, and not given up when the host loses patience: what is being made durable would be in doubt.
            Invariant.Require(watching.IsCompleted);
            if (opened is not null) await Task.Run(opened.Close, CancellationToken.None).ConfigureAwait(false);
        }
    }

    // Also of a host that did not start: then the container closes the store.
    public void Dispose()
    {
        stopping.Cancel();
        stopping.Dispose();
    }

    async Task Watch(OpenedStore store)
    {
        using var timer = new PeriodicTimer(store.Options.WatchInterval, store.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false)) Look(store);
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // The next look may succeed.
    static void Look(OpenedStore store)
    {
        try
        {
            store.Watch.Look();
        }
        catch (Exception failure)
        {
            store.TellOfFailedLook(failure);
        }
    }
}
