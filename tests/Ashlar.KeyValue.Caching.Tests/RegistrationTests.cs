using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Extensions;
using Ashlar.Simulation;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Caching.Tests;

public sealed class RegistrationTests
{
    [Fact]
    public void The_cache_is_the_distributed_cache_of_the_program()
    {
        using var provider = Build(services => services.AddAshlarCache(options => options.KeyPrefix = "shared/"));
        var cache = provider.GetRequiredService<KeyValueCache>();
        Assert.Same(cache, provider.GetRequiredService<IDistributedCache>());
        cache.Set("key", [1], new());
        Assert.NotNull(provider.GetRequiredService<KeyValueStore>().Get("shared/\u0001key"u8));
    }

    [Fact]
    public void A_cache_may_be_in_a_store_that_has_a_name()
    {
        using var provider = Build(services => services.AddAshlarCache(options => options.StoreName = "other"));
        provider.GetRequiredService<IDistributedCache>().Set("key", [1], new());
        Assert.NotNull(provider.GetRequiredKeyedService<KeyValueStore>("other").Get("cache/\u0001key"u8));
        Assert.Null(provider.GetRequiredService<KeyValueStore>().Get("cache/\u0001key"u8));
    }

    [Fact]
    public async Task An_option_out_of_its_bounds_fails_the_start_and_is_named()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAshlarCache("/never/created", options => options.MaxBytes = 1);
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains("option MaxBytes:", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/never"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Options_come_from_a_section_of_the_configuration_and_an_unknown_name_fails_the_start(bool isUnknown)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Cache:MaxBytes"] = "1048576",
            ["Cache:Durability"] = "Sync",
            [isUnknown ? "Cache:MaxByte" : "Cache:MaxEntryBytes"] = "1000",
        }).Build();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAshlarCache("/store", configuration.GetSection("Cache"));
        builder.Services.ConfigureAll<KeyValueStoreOptions>(options => options.FileSystem = new SimulatedFileSystem(isRecording: false));
        using var host = builder.Build();
        if (isUnknown)
        {
            var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
            Assert.Equal("Ashlar cache: the configuration sets Cache:MaxByte, and there is no such option", failure.Message);
            return;
        }

        await host.StartAsync();
        var cache = host.Services.GetRequiredService<KeyValueCache>();
        Assert.Equal(1000, Assert.Throws<ValueTooLongException>(() => cache.Set("key", new byte[1001], new())).LimitBytes);
        cache.Set("key", [1], new());
        var store = host.Services.GetRequiredKeyedService<KeyValueStore>("cache");
        Assert.Equal(store.VisibleSequence, store.DurableSequence);
        Assert.True(cache.GetStatistics().UsedBytes is null or > 0);
        await host.StopAsync();
    }

    [Theory, InlineData(""), InlineData("sessions")]
    public async Task A_cache_in_a_store_that_was_not_registered_fails_the_start_and_says_so(string store)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAshlarCache(options => options.StoreName = store);
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Contains("AddAshlarKeyValue", failure.Message, StringComparison.Ordinal);
        Assert.Equal(store.Length > 0, failure.Message.Contains("'sessions'", StringComparison.Ordinal));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_host_creates_the_cache_before_it_starts_other_services_and_fails_to_start_where_it_cannot(bool isNarrow)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAshlarCache("/store");
        builder.Services.ConfigureAll<KeyValueStoreOptions>(options =>
        {
            options.FileSystem = new SimulatedFileSystem(isRecording: false);
            if (isNarrow) options.MaxKeyBytes = 10;
        });
        var created = 0;
        builder.Services.AddSingleton(provider =>
        {
            created++;
            return new KeyValueCache(provider.GetRequiredKeyedService<KeyValueStore>("cache"));
        });
        using var host = builder.Build();
        if (isNarrow)
        {
            await Assert.ThrowsAsync<ArgumentException>("MaxKeyBytes", () => host.StartAsync());
            return;
        }

        await host.StartAsync();
        Assert.Equal(1, created);
        await host.StopAsync();
    }

    [Fact]
    public void What_the_cache_does_is_published_by_the_factory_of_meters()
    {
        using var provider = Build(services =>
        {
            services.AddMetrics();
            services.AddAshlarCache(options => options.MaxBytes = 1 << 20);
        });
        var cache = provider.GetRequiredService<KeyValueCache>();
        cache.Counting.GetAwaiter().GetResult();
        cache.Set("key", [1], new());
        cache.Get("key");
        cache.Get("absent");
        cache.Get("absent");
        var seen = new SortedDictionary<string, long>(StringComparer.Ordinal);
        using var meters = new MeterListener();
        var factory = provider.GetRequiredService<IMeterFactory>();
        meters.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Scope == factory && instrument.Meter.Name == KeyValueCache.MeterName)
                listening.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            seen.Add($"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}", value));
        meters.Start();
        meters.RecordObservableInstruments();
        Assert.Equal(
            [
                "ashlar.cache.evictions cache/ = 0", "ashlar.cache.limit cache/ = 1048576", "ashlar.cache.renewals cache/ = 0",
                "ashlar.cache.renewals.failed cache/ = 0", "ashlar.cache.requests cache/ hit = 1", "ashlar.cache.requests cache/ miss = 2",
                "ashlar.cache.sets cache/ = 1", $"ashlar.cache.usage cache/ = {cache.GetStatistics().UsedBytes}",
            ],
            seen.Select(one => $"{one.Key} = {one.Value}"));
    }

    static ServiceProvider Build(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        services.AddAshlarKeyValue(options => options.Directory = "/store");
        services.AddAshlarKeyValue("other", options => options.Directory = "/other");
        services.ConfigureAll<KeyValueStoreOptions>(options => options.FileSystem = new SimulatedFileSystem(isRecording: false));
        configure(services);
        return services.BuildServiceProvider();
    }
}
