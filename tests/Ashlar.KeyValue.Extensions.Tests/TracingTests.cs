using System.Diagnostics;
using System.Diagnostics.Metrics;
using Ashlar.Simulation;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Extensions.Tests;

public sealed class TracingTests : IDisposable
{
    // Other tests of the process have stores as well: each span is known by the name of its store.
    readonly string name = $"orders-{Guid.NewGuid():N}";
    readonly List<Activity> spans = [];
    readonly ActivityListener listener;
    readonly FaultyFileSystem disk = new(TestHost.NewDisk());
    readonly KeyValueStore store;
    readonly TracedKeyValueStore traced;

    public TracingTests()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == KeyValueTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (!span.DisplayName.EndsWith(name, StringComparison.Ordinal)) return;
                lock (spans) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        store = KeyValueStore.Open(TestHost.Directory, new() { FileSystem = disk, SpaceReserveBytes = 0 });
        traced = new TracedKeyValueStore(store, name);
    }

    public void Dispose()
    {
        listener.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task Writes_and_upkeep_have_spans_and_reads_have_none()
    {
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.Put("b"u8, "2"u8);
        traced.Put("key"u8, "value"u8);
        traced.Put("key"u8, "value"u8, TimeSpan.FromDays(1));
        traced.Delete("key"u8);
        traced.Write(batch);
        await traced.PutAsync("key"u8, "value"u8);
        await traced.PutAsync("key"u8, "value"u8, TimeSpan.FromDays(1));
        await traced.DeleteAsync("key"u8);
        await traced.WriteAsync(batch);
        traced.Sync();
        traced.Flush();
        traced.Compact();
        Assert.True(traced.Verify().IsClean);
        Assert.Equal(1UL, traced.BackUp("/backups").Number);
        Assert.Equal("1"u8, traced.Store.Get("a"u8)!);
        Assert.Equal(
            ["put", "put", "delete", "write", "put", "put", "delete", "write", "sync", "flush", "compact", "verify", "backup"],
            spans.Select(span => span.GetTagItem("db.operation.name")));
        Assert.All(spans, span =>
        {
            Assert.Equal("ashlar", span.GetTagItem("db.system.name"));
            Assert.Equal(name, span.GetTagItem("db.namespace"));
            Assert.Equal($"{span.GetTagItem("db.operation.name")} {name}", span.DisplayName);
            Assert.Equal(ActivityKind.Client, span.Kind);
            Assert.Null(span.GetTagItem("error.type"));
        });
        Assert.Equal([2, 2], spans.Select(span => span.GetTagItem("db.operation.batch.size")).Where(size => size is not null).Cast<int>());
    }

    [Fact]
    public async Task Conditional_writes_transactions_and_ranges_have_spans_also_where_they_do_not_take_effect()
    {
        var hour = TimeSpan.FromHours(1);
        var batch = new WriteBatch();
        batch.Put("b"u8, "1"u8);
        batch.Put("c"u8, "1"u8);
        Assert.True(traced.PutIfAbsent("a"u8, "1"u8));
        Assert.False(traced.PutIfAbsent("a"u8, "2"u8, hour));
        Assert.False(traced.PutIfUnchanged("a"u8, "2"u8, 0));
        Assert.True(traced.TryRenew("a"u8, hour));
        Assert.False(traced.DeleteIfUnchanged("a"u8, 0));
        Assert.Equal(2, traced.Increment("n"u8, 2));
        Assert.Equal(3, traced.Increment("n"u8, 1, hour));
        Assert.True(traced.TryWrite(batch, new WriteConditions().RequireAbsent("b"u8)));
        traced.Transact(transaction => transaction.Put("d"u8, "1"u8));
        await traced.TransactAsync(async transaction =>
        {
            await Task.Yield();
            transaction.Put("e"u8, "1"u8);
        });
        traced.DeleteRange(KeyRange.Between("a"u8, "d"u8));
        Assert.Equal(
            [
                "put_if_absent", "put_if_absent", "put_if_unchanged", "renew", "delete_if_unchanged", "increment", "increment", "write_if",
                "transact", "transact", "delete_range",
            ],
            spans.Select(span => span.GetTagItem("db.operation.name")));
        Assert.All(spans, span => Assert.Null(span.GetTagItem("error.type")));
        Assert.Throws<CounterException>(() => traced.Increment("d"u8, 1));
        await Assert.ThrowsAsync<NotSupportedException>(
            async () => await traced.TransactAsync(_ => ValueTask.FromException(new NotSupportedException())));
        Assert.Equal(
            [typeof(CounterException).FullName, typeof(NotSupportedException).FullName],
            spans.Skip(11).Select(span => span.GetTagItem("error.type")));
        foreach (var key in (string[])["d", "e", "n"]) Assert.True(store.ContainsKey(System.Text.Encoding.UTF8.GetBytes(key)), key);
        Assert.False(store.ContainsKey("a"u8));
    }

    [Fact]
    public async Task A_failure_is_in_the_span_and_reaches_the_caller()
    {
        store.Put("key"u8, "value"u8);
        Assert.Throws<KeyLengthException>(() => traced.Put(""u8, "value"u8));
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        await Assert.ThrowsAsync<StorePoisonedException>(async () => await traced.PutAsync("key"u8, "value"u8));
        Assert.Equal(
            [typeof(KeyLengthException).FullName, typeof(StorePoisonedException).FullName],
            spans.Select(span => span.GetTagItem("error.type")));
        Assert.All(spans, span => Assert.Equal(ActivityStatusCode.Error, span.Status));
    }

    [Fact]
    public async Task The_callers_own_span_stays_current()
    {
        using var own = new Activity("own").Start();
        var write = traced.PutAsync("key"u8, "value"u8);
        Assert.Same(own, Activity.Current);
        await write;
        traced.Put("key"u8, "value"u8);
        Assert.Same(own, Activity.Current);
        Assert.All(spans, span => Assert.Equal(own.SpanId, span.ParentSpanId));
        Assert.Equal(2, spans.Count);
    }

    [Fact]
    public void Durations_come_from_the_factory_of_meters_with_buckets_down_to_microseconds()
    {
        var services = new ServiceCollection();
        services.AddMetrics();
        services.AddAshlarKeyValue("orders", TestHost.On(TestHost.NewDisk()));
        using var provider = services.BuildServiceProvider();
        using var meters = new MeterListener();
        var seen = new List<(double Seconds, string Tags)>();
        var factory = provider.GetRequiredService<IMeterFactory>();
        meters.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Scope != factory || instrument.Name != KeyValueTelemetry.OperationDuration) return;
            Assert.Equal("s", instrument.Unit);
            Assert.Equal(KeyValueTelemetry.MeterName, instrument.Meter.Name);
            Assert.Equal(0.00001, Assert.IsType<Histogram<double>>(instrument).Advice!.HistogramBucketBoundaries![0]);
            listening.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<double>((_, value, tags, _) =>
            seen.Add((value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")))));
        meters.Start();
        provider.GetRequiredKeyedService<TracedKeyValueStore>("orders").Put("key"u8, "value"u8);
        var (seconds, text) = Assert.Single(seen);
        Assert.True(seconds > 0);
        Assert.Equal("db.system.name=ashlar db.namespace=orders db.operation.name=put", text);
    }
}
