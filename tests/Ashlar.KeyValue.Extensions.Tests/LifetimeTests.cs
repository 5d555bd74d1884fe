using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ashlar.KeyValue.Extensions.Tests;

public sealed class LifetimeTests
{
    [Fact]
    public async Task A_store_is_open_before_other_services_start_and_closed_after_they_have_stopped()
    {
        var disk = TestHost.NewDisk();
        var log = new RecordedLog();
        using (var host = TestHost.Build(
            services =>
            {
                // Registered before the store, and asked to start before it.
                services.AddSingleton<IHostedService>(provider => new Worker(provider));
                services.AddAshlarKeyValue(TestHost.On(disk));
            },
            log))
        {
            await host.StartAsync();
            await host.StopAsync();
        }

        Assert.Equal([1000, 1002], log.StoreEvents);
        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        Assert.True(store.Recovery.WasClosed);
        Assert.Equal(0, store.Recovery.Groups);
        Assert.NotNull(store.Get("started"u8));
        Assert.NotNull(store.Get("stopped"u8));
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_fails_the_start_with_its_own_error()
    {
        var disk = TestHost.NewDisk();
        using var owner = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        var worker = new Worker(null);
        using var host = TestHost.Build(services =>
        {
            services.AddSingleton<IHostedService>(worker);
            services.AddAshlarKeyValue(TestHost.On(disk));
        });
        await Assert.ThrowsAsync<LockedException>(() => host.StartAsync());
        Assert.False(worker.HasStarted);
    }

    [Fact]
    public async Task What_cannot_be_made_durable_at_the_end_fails_the_stop_and_is_in_the_log()
    {
        var disk = new FaultyFileSystem(TestHost.NewDisk());
        var log = new RecordedLog();
        using var host = TestHost.Build(services => services.AddAshlarKeyValue(TestHost.On(disk)), log);
        await host.StartAsync();
        host.Services.GetRequiredService<KeyValueStore>().Put("key"u8, "value"u8, Durability.Unflushed);
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError) { IsSticky = true });
        await Assert.ThrowsAsync<StorePoisonedException>(() => host.StopAsync());
        Assert.Equal([1000, 1003], log.StoreEvents);
    }

    [Fact]
    public async Task A_start_that_another_service_fails_leaves_the_store_to_whoever_opens_it_next()
    {
        var disk = TestHost.NewDisk();
        using (var host = TestHost.Build(services =>
        {
            services.AddAshlarKeyValue(TestHost.On(disk));
            services.AddHostedService<FailingService>();
        }))
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => host.StartAsync());
        }

        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        Assert.True(store.Recovery.WasClosed);
    }

    /// <param name="lost">Number of the event that the log cannot write.</param>
    [Theory, InlineData(1000), InlineData(1002)]
    public async Task A_log_that_fails_at_opening_or_closing_leaves_no_store_locked_and_tells_of_no_doubt(int lost)
    {
        var disk = TestHost.NewDisk();
        var log = new RecordedLog { Lost = lost };
        using var host = TestHost.Build(services => services.AddAshlarKeyValue(TestHost.On(disk)), log);
        if (lost == 1000)
        {
            await Assert.ThrowsAsync<AggregateException>(() => host.StartAsync());
        }
        else
        {
            await host.StartAsync();
            await Assert.ThrowsAsync<AggregateException>(() => host.StopAsync());
        }

        using var store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        Assert.True(store.Recovery.WasClosed);
        Assert.DoesNotContain(1003, log.StoreEvents);
    }

    sealed class Worker(IServiceProvider? provider) : IHostedService
    {
        public bool HasStarted { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            HasStarted = true;
            provider?.GetRequiredService<KeyValueStore>().Put("started"u8, ""u8, Durability.Unflushed);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            provider?.GetRequiredService<KeyValueStore>().Put("stopped"u8, ""u8, Durability.Unflushed);
            return Task.CompletedTask;
        }
    }

    sealed class FailingService : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => throw new NotSupportedException("This service does not start.");

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
