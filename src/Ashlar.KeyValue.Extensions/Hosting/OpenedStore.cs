using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Extensions.Logging;
using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Hosting;

/// <summary>The one opening of a store that all services share. It is closed once, by the host or by the container.</summary>
sealed class OpenedStore : IDisposable
{
    readonly ILogger logger;
    readonly string directory;
    int isClosed;

    OpenedStore(IServiceProvider provider, string name)
    {
        Options = provider.GetRequiredService<IOptionsMonitor<KeyValueStoreOptions>>().Get(name);
        Clock = Options.TimeProvider ?? provider.GetService<TimeProvider>() ?? TimeProvider.System;
        directory = Options.Directory;
        logger = provider.GetService<ILoggerFactory>()?.CreateLogger<KeyValueStore>() ?? NullLogger<KeyValueStore>.Instance;
        Store = KeyValueStore.Open(directory, Options.ToEngineOptions(Clock));
        try
        {
            // What cannot be opened fails the start of the program, as a store does.
            foreach (var keyspace in provider.GetKeyedServices<RegisteredKeyspace>(name)) Store.OpenKeyspace(keyspace.Name);
            Traced = new TracedKeyValueStore(Store, name.Length == 0 ? directory : name, provider.GetService<IMeterFactory>());
            Watch = new StoreWatch(Store, directory, logger);
            if (Store.Recovery.WasClosed) KeyValueLog.Opened(logger, directory, Store.Recovery);
            else KeyValueLog.Recovered(logger, directory, Store.Recovery);
        }
        catch
        {
            // Nobody gets to know this opening: it would keep the store locked for as long as the process lives.
            Store.Dispose();
            throw;
        }
    }

    public KeyValueStoreOptions Options { get; }

    public TimeProvider Clock { get; }

    public KeyValueStore Store { get; }

    public TracedKeyValueStore Traced { get; }

    public StoreWatch Watch { get; }

    /// <summary>Tells the log that a look at the store has failed.</summary>
    public void TellOfFailedLook(Exception failure) => KeyValueLog.LookFailed(logger, failure, directory);

    public static OpenedStore Open(IServiceProvider provider, string name) => new(provider, name);

    /// <summary>
    /// Closes the store and tells the log, also what is in doubt. What is in memory is written to tables first: the next start then has no
    /// log to read.
    /// </summary>
    /// <exception cref="StorePoisonedException">The last writes could not be made durable. The store is closed all the same.</exception>
    public void Close()
    {
        if (Interlocked.Exchange(ref isClosed, 1) != 0) return;
        if (!Options.ReadOnly) TryFlush();
        try
        {
            Store.Close();
        }
        catch (Exception failure)
        {
            KeyValueLog.ClosedInDoubt(logger, failure, directory);
            throw;
        }

        KeyValueLog.Closed(logger, directory);
    }

    void TryFlush()
    {
        try
        {
            Store.Flush();
        }
        catch (Exception failure) when (failure is (AshlarException and not InvariantException) or ObjectDisposedException)
        {
            // The log has it all, and closing tells what is in doubt.
        }
    }

    /// <summary>As <see cref="Close"/>; a container must go on to dispose of others, so doubt is told to the log alone.</summary>
    public void Dispose()
    {
        try
        {
            Close();
        }
        catch (StorePoisonedException)
        {
            // The log has it.
        }
    }
}
