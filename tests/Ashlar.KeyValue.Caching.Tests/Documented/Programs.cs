using Ashlar.KeyValue.Extensions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Caching.Tests.Documented;

/// <summary>What the documents show of a program's start.</summary>
static class Programs
{
    public static void WithHybridCache(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarCache("/var/cache/shop", options => options.MaxBytes = 10L << 30);
        builder.Services.AddHybridCache();
    }

    public static ValueTask<string> GetReport(HybridCache cache, string name, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync(
            $"report/{name}",
            async token => await WriteReport(name, token),
            tags: ["reports"],
            cancellationToken: cancellationToken);

    public static void WithSessions(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarCache("/var/cache/shop", options => options.Durability = Durability.Sync);
        builder.Services.AddSession(options => options.IdleTimeout = TimeSpan.FromMinutes(20));
    }

    public static void InAStoreWithOtherData(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarKeyValue(options => options.Directory = "/var/lib/shop");
        builder.Services.AddAshlarCache(options => options.KeyPrefix = "cache/");
    }

    public static void WithConfiguration(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarCache("/var/cache/shop", builder.Configuration.GetSection("Cache"));
    }

    public static void ByHand()
    {
        using var store = KeyValueStore.Open("/var/cache/shop");
        using IDisposable cache = new KeyValueCache(store, new() { MaxBytes = 10L << 30 });
    }

    public static void WithStores(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarKeyValue(builder.Configuration.GetSection("Store"));
        builder.Services.AddAshlarKeyValue("audit", options => options.Directory = "/var/lib/audit");
        builder.Services.AddHealthChecks().AddAshlarKeyValue().AddAshlarKeyValue("audit", tags: ["ready"]);
    }

    public static void WithKeyspaces(WebApplicationBuilder builder)
    {
        builder.Services.AddAshlarKeyValue(options => options.Directory = "/var/lib/shop").AddKeyspace("users").AddKeyspace("orders");
    }

    public static void SetFor(IDistributedCache cache, byte[] value) =>
        cache.Set(
            "key",
            value,
            new() { SlidingExpiration = TimeSpan.FromMinutes(20), AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(8) });

    static ValueTask<string> WriteReport(string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult($"{name} {cancellationToken.IsCancellationRequested}");
}

// A service gets the stores that it names.
public sealed class Orders(KeyValueStore store, [FromKeyedServices("audit")] TracedKeyValueStore audit)
{
    public async Task AddAsync(byte[] key, byte[] order)
    {
        await store.PutAsync(key, order);
        await audit.PutAsync(key, order);                 // With a span and a duration.
    }
}
