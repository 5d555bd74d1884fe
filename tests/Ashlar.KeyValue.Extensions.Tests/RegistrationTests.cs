using Ashlar.Simulation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Tests;

public sealed class RegistrationTests
{
    [Fact]
    public void The_default_store_is_a_service_and_others_are_keyed_by_their_names()
    {
        var disk = TestHost.NewDisk();
        var services = new ServiceCollection();
        services.AddAshlarKeyValue(TestHost.On(disk));
        services.AddAshlarKeyValue("audit", TestHost.On(disk, "/audit"));
        using var provider = services.BuildServiceProvider();
        var store = provider.GetRequiredService<KeyValueStore>();
        var audit = provider.GetRequiredKeyedService<KeyValueStore>("audit");
        store.Put("key"u8, "of the default store"u8);
        Assert.Null(audit.Get("key"u8));
        Assert.NotEqual(store.StoreId, audit.StoreId);
        Assert.Same(store, provider.GetRequiredService<IKeyValueStore>());
        Assert.Same(audit, provider.GetRequiredKeyedService<IKeyValueStore>("audit"));
        Assert.Same(store, provider.GetRequiredService<TracedKeyValueStore>().Store);
        Assert.Same(audit, provider.GetRequiredKeyedService<TracedKeyValueStore>("audit").Store);
    }

    [Fact]
    public void Keyspaces_are_services_keyed_by_their_names_and_opened_with_their_store()
    {
        var disk = TestHost.NewDisk();
        var services = new ServiceCollection();
        services.AddAshlarKeyValue(TestHost.On(disk)).AddKeyspace("users").AddKeyspace("orders");
        services.AddAshlarKeyValue("audit", TestHost.On(disk, "/audit")).AddKeyspace("users", serviceKey: "audited users");
        using (var provider = services.BuildServiceProvider())
        {
            var users = provider.GetRequiredKeyedService<Keyspace>("users");
            Assert.Equal(["orders", "users"], users.Store.ListKeyspaces()); // Also the one that nobody has asked for.
            Assert.Same(users, provider.GetRequiredKeyedService<IKeyspace>("users"));
            Assert.Same(provider.GetRequiredService<KeyValueStore>(), users.Store);
            var audited = provider.GetRequiredKeyedService<Keyspace>("audited users");
            Assert.Equal("users", audited.Name);
            Assert.Same(provider.GetRequiredKeyedService<KeyValueStore>("audit"), audited.Store);
            Assert.Null(provider.GetKeyedService<Keyspace>("audit"));
        }

        services.AddAshlarKeyValue(options => options.ReadOnly = true).AddKeyspace("new");
        using var readOnly = services.BuildServiceProvider();
        Assert.Throws<ReadOnlyStoreException>(() => readOnly.GetRequiredKeyedService<Keyspace>("users"));
        using var reopened = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk }); // The lock was given back.
        Assert.Equal(["orders", "users"], reopened.ListKeyspaces());
    }

    [Fact]
    public void A_service_key_stands_for_one_keyspace_of_one_store()
    {
        var disk = TestHost.NewDisk();
        var services = new ServiceCollection();
        services.AddAshlarKeyValue(TestHost.On(disk)).AddKeyspace("users").AddKeyspace("users");
        var audit = services.AddAshlarKeyValue("audit", TestHost.On(disk, "/audit"));
        var refused = Assert.Throws<InvalidOperationException>(() => audit.AddKeyspace("users"));
        Assert.Contains("'users' of the default store", refused.Message, StringComparison.Ordinal);
        Assert.Contains("store 'audit'", refused.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => audit.AddKeyspace("others", serviceKey: "users"));
        using var provider = services.BuildServiceProvider();
        Assert.Same(provider.GetRequiredService<KeyValueStore>(), provider.GetRequiredKeyedService<Keyspace>("users").Store);
    }

    [Fact]
    public void A_store_is_opened_once_for_all_who_ask_and_closed_with_the_container()
    {
        var disk = TestHost.NewDisk();
        var services = new ServiceCollection();
        services.AddAshlarKeyValue(TestHost.On(disk));
        services.AddAshlarKeyValue(options => options.MaxKeyBytes = 7); // Adds to the options; it is the same store.
        KeyValueStore? store = null;
        using (var provider = services.BuildServiceProvider())
        {
            Parallel.For(0, 8, _ =>
            {
                var found = provider.GetRequiredService<KeyValueStore>();
                Assert.Same(Interlocked.CompareExchange(ref store, found, null) ?? found, found);
            });
            Assert.Throws<KeyLengthException>(() => store!.Put("12345678"u8, "value"u8));
            store!.Put("key"u8, "value"u8, Durability.Relaxed);
        }

        Assert.Throws<ObjectDisposedException>(() => store.Get("key"u8));
        using var reopened = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk });
        Assert.True(reopened.Recovery.WasClosed);
        Assert.Equal("value"u8, reopened.Get("key"u8)!);
    }

    [Fact]
    public void Options_come_from_a_section_of_the_configuration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:Orders:Directory"] = "/orders",
            ["Storage:Orders:MemTableBytes"] = "65536",
            ["Storage:Orders:SpaceReserveBytes"] = "0",
            ["Storage:Orders:SpaceAmplification"] = "1.25",
            ["Storage:Orders:RelaxedLossTime"] = "00:00:05",
            ["Storage:Orders:PrewriteLog"] = "false",
        }).Build();
        var services = new ServiceCollection();
        services.AddAshlarKeyValue("orders", configuration.GetSection("Storage:Orders"));
        using var provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<IOptionsMonitor<KeyValueStoreOptions>>().Get("orders");
        Assert.Equal("/orders", options.Directory);
        var engine = options.ToEngineOptions();
        Assert.Equal(65536, engine.MemTableBytes);
        Assert.Equal(0, engine.SpaceReserveBytes);
        Assert.Equal(1.25, engine.SpaceAmplification);
        Assert.Equal(TimeSpan.FromSeconds(5), engine.RelaxedLossTime);
        Assert.False(engine.PrewriteLog);
        Assert.Equal(KeyValueOptions.Default.TableBytes, engine.TableBytes);
    }

    [Fact]
    public void Every_option_of_the_engine_can_be_set_and_has_its_default()
    {
        var options = new KeyValueStoreOptions { Directory = "/store" };
        Assert.Equal(KeyValueOptions.Default, options.ToEngineOptions());
        foreach (var option in typeof(KeyValueOptions).GetProperties().Where(option => option.CanWrite))
            Assert.True(typeof(KeyValueStoreOptions).GetProperty(option.Name)?.CanWrite, option.Name);
    }

    [Theory]
    [InlineData("Directory", "")]
    [InlineData("MemTableBytes", "12")]
    [InlineData("SpaceAmplification", "0.5")]
    [InlineData("BackgroundThreads", "3")]
    [InlineData("RelaxedLossTime", "-00:00:01")]
    [InlineData("WatchInterval", "00:00:00")]
    public async Task An_option_out_of_its_bounds_fails_the_start_and_is_named(string option, string value)
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Directory"] = "/never/created",
            [option] = value,
        }).Build();
        using var host = TestHost.Build(services => services.AddAshlarKeyValue("orders", section));
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains($"'orders', option {option}:", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/never"));
    }

    [Theory]
    [InlineData("LogArchiveDirectroy"), InlineData("TimeProvider"), InlineData("Nested:Directory")]
    public async Task A_name_that_is_no_option_fails_the_start_and_is_named_with_its_path(string option)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Stores:Orders:directory"] = "/never/created", // Case does not count in a configuration.
            [$"Stores:Orders:{option}"] = "1",
            ["Stores:Another:Directory"] = "/another",
        }).Build();
        using var host = TestHost.Build(services => services.AddAshlarKeyValue("orders", configuration.GetSection("Stores:Orders")));
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(
            $"key-value store 'orders': the configuration sets Stores:Orders:{option.Split(':')[0]}, and there is no such option",
            failure.Message);
        Assert.False(Directory.Exists("/never"));
    }

    [Fact]
    public async Task A_value_that_cannot_be_read_fails_the_start_and_is_named_with_its_path()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Store:Directory"] = "/never/created",
            ["Store:MemTableBytes"] = "much",
        }).Build();
        using var host = TestHost.Build(services => services.AddAshlarKeyValue(configuration.GetSection("Store")));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Contains("Store:MemTableBytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_registered_clock_is_the_stores()
    {
        var clock = new SimulatedClock();
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(clock);
        services.AddAshlarKeyValue(TestHost.On(TestHost.NewDisk()));
        using var provider = services.BuildServiceProvider();
        var store = provider.GetRequiredService<KeyValueStore>();
        store.Put("key"u8, "value"u8, TimeSpan.FromHours(1));
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(store.Get("key"u8));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(store.Get("key"u8));
    }
}
