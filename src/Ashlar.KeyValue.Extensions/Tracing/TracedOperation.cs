using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Ashlar.KeyValue.Extensions.Tracing;

/// <summary>
/// One operation under measurement: a span and a duration, with attributes as the semantic conventions for databases name them. Costs two
/// tests where nobody listens.
/// </summary>
readonly struct TracedOperation
{
    static readonly ActivitySource Source = new(KeyValueTelemetry.ActivitySourceName);

    readonly Histogram<double> durations;
    readonly Activity? activity;
    readonly string name;
    readonly string store;
    readonly long begun;

    TracedOperation(Histogram<double> durations, string name, string store)
    {
        (this.durations, this.name, this.store) = (durations, name, store);
        activity = Source.StartActivity($"{name} {store}", ActivityKind.Client);
        begun = durations.Enabled ? Stopwatch.GetTimestamp() : 0;
        if (activity is not { IsAllDataRequested: true }) return;
        activity.SetTag("db.system.name", KeyValueTelemetry.SystemName);
        activity.SetTag("db.namespace", store);
        activity.SetTag("db.operation.name", name);
    }

    public static TracedOperation Begin(Histogram<double> durations, string name, string store) =>
        Source.HasListeners() || durations.Enabled ? new(durations, name, store) : default;

    /// <summary>How many entries it writes at once; the conventions want it from two on.</summary>
    public TracedOperation WithBatch(int count)
    {
        if (count > 1) activity?.SetTag("db.operation.batch.size", count);
        return this;
    }

    /// <summary>Gives the caller its own span back, where the operation goes on without it.</summary>
    public void Leave()
    {
        if (activity is not null && Activity.Current == activity) Activity.Current = activity.Parent;
    }

    public void End(Exception? failure = null)
    {
        if (durations is null) return;
        var error = failure?.GetType().FullName;
        if (begun != 0)
        {
            var tags = new TagList
            {
                { "db.system.name", KeyValueTelemetry.SystemName }, { "db.namespace", store }, { "db.operation.name", name },
            };
            if (error is not null) tags.Add("error.type", error);
            durations.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds, tags);
        }

        if (activity is null) return;
        if (error is not null)
        {
            activity.SetTag("error.type", error);
            activity.SetStatus(ActivityStatusCode.Error, failure!.Message);
        }

        activity.Dispose();
    }
}
