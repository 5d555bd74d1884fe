using Ashlar.Blocks;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Figures of volumes. What clients do is there for those to which somebody was attached since the start.</summary>
static class VolumeMetrics
{
    // Powers of two, at which the counts are exact: from 8 microseconds to 8.6 seconds, four times as long each.
    const int FirstExponent = 13, LastExponent = 33, Step = 2;

    static readonly (DriverOperation Operation, string Name)[] Operations =
    [
        (DriverOperation.Read, "read"),
        (DriverOperation.Write, "write"),
        (DriverOperation.WriteZeroes, "zero"),
        (DriverOperation.Trim, "trim"),
        (DriverOperation.Flush, "flush"),
    ];

    public static void AddTo(PrometheusText text, ServedPools pools)
    {
        var all = pools.All.SelectMany(pool => pool.List().Select(volume => (pool, volume))).ToArray();
        text.Begin("ashlar_volume_size_bytes", "gauge", "What clients see.");
        foreach (var (pool, volume) in all) text.Add(volume.SizeBytes, ("pool", pool.Name), ("volume", volume.Name));
        text.Begin("ashlar_volume_allocated_bytes", "gauge", "Space of the pool that the volume occupies.");
        foreach (var (pool, volume) in all) text.Add(volume.AllocatedBytes, ("pool", pool.Name), ("volume", volume.Name));
        text.Begin("ashlar_volume_clients", "gauge", "Clients that are attached.");
        foreach (var (pool, volume) in all)
        {
            var clients = pool.ClientsOf(volume.Name);
            text.Add(clients.Nbd, ("pool", pool.Name), ("volume", volume.Name), ("protocol", "nbd"));
            text.Add(clients.Iscsi, ("pool", pool.Name), ("volume", volume.Name), ("protocol", "iscsi"));
            text.Add(clients.Nvme, ("pool", pool.Name), ("volume", volume.Name), ("protocol", "nvme"));
        }
        AddRequests(text, [.. all.Select(each => Done(each.pool, each.volume)).OfType<DoneOfVolume>()]);
    }

    static DoneOfVolume? Done(ServedPool pool, VolumeInfo volume)
    {
        if (pool.OpenedOf(volume.Name) is not { } opened) return null;
        var totals = new DriverTotals();
        opened.AddTo(totals);
        return new(pool.Name, volume.Name, totals);
    }

    static void AddRequests(PrometheusText text, IReadOnlyList<DoneOfVolume> volumes)
    {
        text.Begin("ashlar_volume_bytes_total", "counter", "Bytes that requests which succeeded moved or covered.");
        foreach (var (volume, operation, name) in Pairs(volumes))
            if (operation != DriverOperation.Flush) text.Add(volume.Totals.Bytes(operation), volume.Labels(name));
        text.Begin("ashlar_volume_failed_requests_total", "counter", "Requests that failed or were refused.");
        foreach (var (volume, operation, name) in Pairs(volumes)) text.Add(volume.Totals.Failures(operation), volume.Labels(name));
        text.Begin("ashlar_volume_request_duration_seconds", "histogram", "How long requests that succeeded took.");
        foreach (var (volume, operation, name) in Pairs(volumes))
        {
            var count = volume.Totals.Count(operation);
            for (var exponent = FirstExponent; exponent <= LastExponent; exponent += Step)
            {
                var bound = PrometheusText.Number((1L << exponent) / 1e9);
                text.Add("_bucket", volume.Totals.CountFasterThan(operation, exponent), [.. volume.Labels(name), ("le", bound)]);
            }
            text.Add("_bucket", count, [.. volume.Labels(name), ("le", "+Inf")]);
            text.Add("_sum", volume.Totals.Seconds(operation), volume.Labels(name));
            text.Add("_count", count, volume.Labels(name));
        }
    }

    static IEnumerable<(DoneOfVolume Volume, DriverOperation Operation, string Name)> Pairs(IReadOnlyList<DoneOfVolume> volumes) =>
        volumes.SelectMany(volume => Operations.Select(each => (volume, each.Operation, each.Name)));

    sealed record DoneOfVolume(string Pool, string Volume, DriverTotals Totals)
    {
        public (string Name, string Value)[] Labels(string operation) =>
            [("pool", Pool), ("volume", Volume), ("operation", operation)];
    }
}
