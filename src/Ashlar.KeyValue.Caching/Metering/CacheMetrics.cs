using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Ashlar.KeyValue.Caching.Metering;

/// <summary>
/// Publishes the statistics of a cache, with its key prefix as <c>ashlar.cache.name</c>. Nothing is computed unless somebody collects.
/// </summary>
/// <remarks>
/// Instruments belong to their meter for good, and a meter of a factory to all who ask for its name: so a meter gets its instruments once,
/// and they observe the caches that are there.
/// </remarks>
sealed class CacheMetrics : IDisposable
{
    const string NameTag = "ashlar.cache.name", ResultTag = "ashlar.cache.result";

    static readonly Meter OwnMeter = new(KeyValueCache.MeterName);
    static readonly ConcurrentDictionary<CacheMetrics, Meter> All = new();
    static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Meter, object> Instrumented = [];
    static readonly Lock Gate = new();

    readonly KeyValueCache cache;
    readonly string name;
    readonly long? maxBytes;

    public CacheMetrics(KeyValueCache cache, string name, long? maxBytes, IMeterFactory? meters)
    {
        (this.cache, this.name, this.maxBytes) = (cache, name, maxBytes);
        var meter = meters?.Create(new MeterOptions(KeyValueCache.MeterName)) ?? OwnMeter;
        lock (Gate)
        {
            if (!Instrumented.TryGetValue(meter, out _))
            {
                Instrumented.Add(meter, meter);
                Create(meter);
            }
        }

        All[this] = meter;
    }

    public void Dispose() => All.TryRemove(this, out _);

    static void Create(Meter meter)
    {
        meter.CreateObservableCounter(
            "ashlar.cache.requests", () => Requests(meter), "{request}", "Gets, by whether they found an entry");
        Count(meter, "ashlar.cache.sets", "{entry}", "Entries that were set", s => s.Sets);
        Count(meter, "ashlar.cache.renewals", "{entry}", "Sliding expiries that were moved", s => s.Renewals);
        Count(meter, "ashlar.cache.renewals.failed", "{entry}", "Renewals by gets that the store refused", s => s.FailedRenewals);
        Count(meter, "ashlar.cache.evictions", "{entry}", "Entries evicted to stay within the bound", s => s.Evictions);
        meter.CreateObservableUpDownCounter(
            "ashlar.cache.usage", () => Observe(meter, one => one.cache.GetStatistics().UsedBytes), "By",
            "What the entries of a bounded cache take");
        meter.CreateObservableUpDownCounter(
            "ashlar.cache.limit", () => Observe(meter, one => one.maxBytes), "By", "What the entries of a bounded cache may take");
    }

    static void Count(Meter meter, string name, string unit, string description, Func<KeyValueCacheStatistics, long> value) =>
        meter.CreateObservableCounter(name, () => Observe(meter, one => value(one.cache.GetStatistics())), unit, description);

    static IEnumerable<Measurement<long>> Requests(Meter meter)
    {
        foreach (var one in Of(meter))
        {
            var statistics = one.cache.GetStatistics();
            yield return new(statistics.Hits, new(NameTag, one.name), new(ResultTag, "hit"));
            yield return new(statistics.Misses, new(NameTag, one.name), new(ResultTag, "miss"));
        }
    }

    static IEnumerable<Measurement<long>> Observe(Meter meter, Func<CacheMetrics, long?> value)
    {
        foreach (var one in Of(meter))
        {
            if (value(one) is { } found) yield return new(found, new KeyValuePair<string, object?>(NameTag, one.name));
        }
    }

    static IEnumerable<CacheMetrics> Of(Meter meter) => All.Where(one => one.Value == meter).Select(one => one.Key);
}
