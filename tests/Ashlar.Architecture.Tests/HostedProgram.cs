namespace Ashlar.Architecture.Tests;

/// <summary>A program with a host as a user of the packages writes it: stores, a cache, health, options from configuration.</summary>
static class HostedProgram
{
    /// <summary>Packages of others that it needs.</summary>
    public static readonly string[] Packages = ["Microsoft.Extensions.Hosting/10.0.0"];

    /// <summary>What it prints.</summary>
    public const string Output =
        """
        Healthy: value, a page, a session
        a bound of 1048576, a memtable of 2097152

        """;

    /// <summary>Its only class.</summary>
    public const string Source =
        """
        using System.Text;
        using Ashlar.KeyValue;
        using Ashlar.KeyValue.Caching;
        using Ashlar.KeyValue.Extensions;
        using Microsoft.Extensions.Caching.Distributed;
        using Microsoft.Extensions.Configuration;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Diagnostics.HealthChecks;
        using Microsoft.Extensions.Hosting;
        using Microsoft.Extensions.Logging;
        using Microsoft.Extensions.Options;

        static class HostedProgram
        {
            public static async Task Run(string directory)
            {
                var builder = Host.CreateApplicationBuilder();
                builder.Logging.ClearProviders();
                builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
                {
                    ["Store:Directory"] = $"{directory}/store",
                    ["Store:MemTableBytes"] = "2097152",
                    ["Store:RelaxedLossTime"] = "00:00:00.500",
                    ["Cache:MaxBytes"] = "1048576",
                    ["Cache:Durability"] = "Sync",
                });
                builder.Services.AddAshlarKeyValue(builder.Configuration.GetSection("Store"));
                builder.Services.AddAshlarCache($"{directory}/cache", builder.Configuration.GetSection("Cache"));
                builder.Services.AddHealthChecks().AddAshlarKeyValue().AddAshlarKeyValue("cache");
                using var host = builder.Build();
                await host.StartAsync();
                var store = host.Services.GetRequiredService<TracedKeyValueStore>();
                await store.PutAsync("key"u8, "value"u8);
                var cache = host.Services.GetRequiredService<IDistributedCache>();
                await cache.SetStringAsync("page", "a page");
                var sliding = new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(1) };
                await cache.SetStringAsync("session", "a session", sliding);
                var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
                Console.WriteLine(
                    $"{health.Status}: {Encoding.UTF8.GetString(store.Store.Get("key"u8)!)}, "
                        + $"{await cache.GetStringAsync("page")}, {await cache.GetStringAsync("session")}");
                var bound = host.Services.GetRequiredService<IOptions<KeyValueCacheOptions>>().Value.MaxBytes;
                var memTable = host.Services.GetRequiredService<IOptions<KeyValueStoreOptions>>().Value.MemTableBytes;
                Console.WriteLine($"a bound of {bound}, a memtable of {memTable}");
                await host.StopAsync();
            }
        }
        """;
}
