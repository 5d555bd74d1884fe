using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ashlar.KeyValue.Caching.Registration;

/// <summary>
/// Creates the cache before any hosted service starts: what fails does so at the start, not at the first request, and that one does not
/// wait for a queue that is built.
/// </summary>
sealed class CacheStart(IServiceProvider provider) : IHostedLifecycleService
{
    // It opens the store, where that was not done, and may read all entries: other services need not wait for the thread that does so.
    public Task StartingAsync(CancellationToken cancellationToken) =>
        Task.Run(provider.GetRequiredService<KeyValueCache>, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
