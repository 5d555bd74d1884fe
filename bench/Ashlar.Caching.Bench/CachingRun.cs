using System.Diagnostics;
using System.Globalization;
using Ashlar.KeyValue.Bench;
using Ashlar.KeyValue.Caching;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.Caching.Bench;

/// <summary>
/// HybridCache over one second tier, or none. A line for each row: its name and its value. Rows that are measured by time go twice, and
/// the second counts, when code is compiled.
/// </summary>
sealed class CachingRun
{
    /// <summary>Callers at once in the rows of many.</summary>
    const int Many = 16;

    /// <summary>Distinct keys that a restarted program is asked for.</summary>
    const int FirstRequests = 10_000;

    // Around the first tier, so that every call reaches the second one.
    static readonly HybridCacheEntryOptions SecondTierOnly = new()
    {
        Flags = HybridCacheEntryFlags.DisableLocalCache,
        Expiration = TimeSpan.FromHours(10),
    };

    readonly bool isMemoryOnly;
    readonly int num;
    readonly int valueBytes;
    readonly TimeSpan duration;
    readonly ServiceProvider program;
    readonly HybridCache cache;
    readonly HybridCacheEntryOptions options;
    readonly long begun = Stopwatch.GetTimestamp();
    long misses;

    public CachingRun(string contender, string directory, int num, int valueBytes, TimeSpan duration)
    {
        (this.num, this.valueBytes, this.duration) = (num, valueBytes, duration);
        isMemoryOnly = contender == "memory";
        // Memory alone has nothing behind it: its figures are those of the first tier.
        options = isMemoryOnly ? new() { Expiration = TimeSpan.FromHours(10) } : SecondTierOnly;
        var services = new ServiceCollection();
        switch (contender)
        {
            case "memory": break;
            case "ashlar": services.AddAshlarCache(directory); break;
            case "sqlite":
                services.AddSingleton<IDistributedCache>(_ => new SqliteCache(Path.Combine(directory, "cache.sqlite")));
                break;
            default: throw new ArgumentException($"there is no contender {contender}");
        }

        services.AddHybridCache();
        program = services.BuildServiceProvider();
        cache = program.GetRequiredService<HybridCache>();
    }

    public async Task Sets()
    {
        await Fill();
        await Measure("set-1", 1, Set);
        await Measure("set-many", Many, Set);
    }

    public async Task Gets()
    {
        misses = 0;
        await Measure("get-1", 1, Get);
        await Measure("get-many", Many, Get);
        if (misses > 0) throw new InvalidOperationException($"{misses} gets of what was set found nothing");
    }

    /// <summary>Of a program that was just started: when it has its first value, and how many of the first requests are hits.</summary>
    public async Task Restart()
    {
        misses = 0;
        await Get(0);
        Print("first-hit-ms", misses == 0 ? Stopwatch.GetElapsedTime(begun).TotalMilliseconds : 0);
        misses = 0;
        var requests = Math.Min(FirstRequests, num);
        var keys = KeySequence.Unique(num, seed: 42, thread: 0, threads: 1);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < requests; i++) await Get(keys.Next());
        Print("restart-gets", requests / clock.Elapsed.TotalSeconds);
        Print("hit-rate", 100.0 * (requests - misses) / requests);
    }

    public async Task Close() => await program.DisposeAsync();

    async Task Fill()
    {
        for (var i = 0; i < num; i++) await Set((ulong)i);
    }

    async Task Measure(string row, int callers, Func<ulong, ValueTask> work)
    {
        await Work(callers, duration / 2, work);
        var clock = Stopwatch.StartNew();
        var operations = await Work(callers, duration, work);
        Print(row, operations / clock.Elapsed.TotalSeconds);
    }

    async Task<long> Work(int callers, TimeSpan length, Func<ulong, ValueTask> work)
    {
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var keys = KeySequence.Random(num, (ulong)caller + 1);
            var count = 0L;
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < length; count++) await work(keys.Next());
            return count;
        })));
        return counts.Sum();
    }

    ValueTask Set(ulong key) => cache.SetAsync(Name(key), Value(key), options);

    async ValueTask Get(ulong key)
    {
        var value = await cache.GetOrCreateAsync(
            Name(key),
            (Run: this, Key: key),
            static (state, _) =>
            {
                Interlocked.Increment(ref state.Run.misses);
                return ValueTask.FromResult(state.Run.Value(state.Key));
            },
            options);
        if (value.Length != valueBytes) throw new InvalidOperationException("a value is not what was set");
    }

    static string Name(ulong key) => string.Create(CultureInfo.InvariantCulture, $"customer/{key:d12}");

    byte[] Value(ulong key)
    {
        var value = new byte[valueBytes];
        value.AsSpan().Fill((byte)key);
        return value;
    }

    static void Print(string row, double value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row}\t{value:F2}"));
}
