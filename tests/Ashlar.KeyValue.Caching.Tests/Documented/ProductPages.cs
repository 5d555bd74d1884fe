using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Tests.Documented;

public sealed class ProductPages(IDistributedCache cache, IProductDatabase database)
{
    static readonly DistributedCacheEntryOptions ForAnHour = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) };

    // Cache-aside: who misses asks the database, and leaves the answer for others.
    public async Task<byte[]> ReadAsync(string id, CancellationToken cancellationToken = default)
    {
        if (await cache.GetAsync($"product/{id}", cancellationToken) is { } found) return found;
        var page = await database.ReadAsync(id, cancellationToken);
        await cache.SetAsync($"product/{id}", page, ForAnHour, cancellationToken);
        return page;
    }

    // Who changes the database removes the entry after it: what is read next is what was written.
    public async Task ChangeAsync(string id, byte[] page, CancellationToken cancellationToken = default)
    {
        await database.WriteAsync(id, page, cancellationToken);
        await cache.RemoveAsync($"product/{id}", cancellationToken);
    }

    // Write-through: the database first, then the cache. Whoever fails between the two leaves an entry that is old until it expires.
    public async Task WriteThroughAsync(string id, byte[] page, CancellationToken cancellationToken = default)
    {
        await database.WriteAsync(id, page, cancellationToken);
        await cache.SetAsync($"product/{id}", page, ForAnHour, cancellationToken);
    }
}

public interface IProductDatabase
{
    Task<byte[]> ReadAsync(string id, CancellationToken cancellationToken);

    Task WriteAsync(string id, byte[] page, CancellationToken cancellationToken);
}

/// <summary>Counts what reaches it.</summary>
public sealed class CountingDatabase : IProductDatabase
{
    readonly ConcurrentDictionary<string, byte[]> pages = new(StringComparer.Ordinal);
    int reads;

    public int Reads => Volatile.Read(ref reads);

    public Task<byte[]> ReadAsync(string id, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        return Task.FromResult(pages.GetValueOrDefault(id, []));
    }

    public Task WriteAsync(string id, byte[] page, CancellationToken cancellationToken)
    {
        pages[id] = page;
        return Task.CompletedTask;
    }
}
