using Ashlar.KeyValue.Caching;
using Ashlar.KeyValue.Extensions;
using Microsoft.Extensions.Caching.Hybrid;

var builder = WebApplication.CreateBuilder(args);

// What HybridCache has in memory it has on disk, too: at most 1 GiB, and there again after a restart.
builder.Services.AddAshlarCache(builder.Configuration["Cache"] ?? "cache", options => options.MaxBytes = 1L << 30);
builder.Services.AddHybridCache();
builder.Services.AddHealthChecks().AddAshlarKeyValue(KeyValueCacheServiceCollectionExtensions.OwnStoreName);

var app = builder.Build();

app.MapGet("/reports/{name}", async (string name, HybridCache cache, CancellationToken cancellationToken) =>
    await cache.GetOrCreateAsync(
        $"report/{name}", token => WriteReport(name, token), tags: ["reports"], cancellationToken: cancellationToken));

app.MapDelete("/reports", async (HybridCache cache) => await cache.RemoveByTagAsync("reports"));

app.MapGet("/cache", (KeyValueCache cache) => cache.GetStatistics());

app.MapHealthChecks("/health");

app.Run();

// What takes so long that nobody wants it twice.
static async ValueTask<string> WriteReport(string name, CancellationToken cancellationToken)
{
    await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
    return $"{name}: written at {DateTimeOffset.UtcNow:O}";
}
