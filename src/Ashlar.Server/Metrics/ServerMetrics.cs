using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>The figures of a server: of its process, connections, log, pools, volumes and files.</summary>
/// <param name="pools">The pools.</param>
/// <param name="connections">Connections that are open now, by protocol.</param>
/// <param name="files">The file store.</param>
/// <param name="requests">Requests to it.</param>
/// <param name="log">The log, whose entries are counted.</param>
/// <param name="options">How the server runs.</param>
/// <param name="startedAt">Since when.</param>
sealed class ServerMetrics(
    ServedPools pools, Func<(int Nbd, int Iscsi, int Nvme)> connections, FileStores files, FileRequests requests, ServerLog log,
    ServerOptions options, DateTimeOffset startedAt)
{
    public string Collect()
    {
        var text = new PrometheusText();
        AddServer(text);
        // The same for all figures, whatever comes and goes meanwhile.
        var served = pools.Entries.Where(entry => entry.Served is not null).ToArray();
        AddPools(text, [.. served.Select(entry => entry.Served!)], [.. served.Select(Resources.Pool)]);
        VolumeMetrics.AddTo(text, pools);
        FileMetrics.AddTo(text, files, requests);
        return text.ToString();
    }

    void AddServer(PrometheusText text)
    {
        text.Begin("ashlar_info", "gauge", "The program that serves.");
        text.Add(1, ("version", options.Version));
        text.Begin("process_start_time_seconds", "gauge", "When the server began to serve, since 1970.");
        text.Add(startedAt.ToUnixTimeMilliseconds() / 1000.0);
        text.Begin("process_cpu_seconds_total", "counter", "Time of processors that the process has used.");
        text.Add(Environment.CpuUsage.TotalTime.TotalSeconds);
        text.Begin("process_resident_memory_bytes", "gauge", "Memory that the process has.");
        text.Add(Environment.WorkingSet);
        var (nbd, iscsi, nvme) = connections();
        text.Begin("ashlar_connections", "gauge", "Open connections, also of clients that are not attached to a volume.");
        text.Add(nbd, ("protocol", "nbd"));
        text.Add(iscsi, ("protocol", "iscsi"));
        text.Add(nvme, ("protocol", "nvme"));
        text.Begin("ashlar_log_entries_total", "counter", "Entries of the log, written or not.");
        text.Add(log.Count(LogLevel.Information), ("level", "info"));
        text.Add(log.Count(LogLevel.Warning), ("level", "warning"));
        text.Add(log.Count(LogLevel.Error), ("level", "error"));
    }

    void AddPools(PrometheusText text, IReadOnlyList<ServedPool> served, IReadOnlyList<Pool> all)
    {
        text.Begin("ashlar_pool_available", "gauge", "1 for a pool that is in use, 0 for one that cannot be opened or was exported.");
        foreach (var entry in pools.Entries) text.Add(entry.Served is null ? 0 : 1, ("pool", entry.Name));
        Each("ashlar_pool_capacity_bytes", "gauge", "What the pool can hold.", pool => pool.CapacityBytes);
        Each("ashlar_pool_allocated_bytes", "gauge", "What volumes occupy.", pool => pool.AllocatedBytes);
        Each("ashlar_pool_free_bytes", "gauge", "What can still be written.", pool => pool.FreeBytes);
        Each("ashlar_pool_provisioned_bytes", "gauge", "Sum of the sizes of the volumes.", pool => pool.ProvisionedBytes);
        Each("ashlar_pool_overcommit_ratio", "gauge", "Sizes of the volumes by the capacity.", pool => pool.OvercommitRatio);
        text.Begin("ashlar_pool_full_seconds", "gauge", "When the pool is full if its use goes on; absent where nobody can tell.");
        foreach (var pool in all)
            if (pool.SecondsUntilFull is { } seconds) text.Add(seconds, ("pool", pool.Name));
        text.Begin("ashlar_pool_threshold_ratio", "gauge", "How full the pool is when it is said.");
        foreach (var pool in all)
        {
            text.Add(pool.SoftThresholdPercent / 100.0, ("pool", pool.Name), ("threshold", "soft"));
            text.Add(pool.HardThresholdPercent / 100.0, ("pool", pool.Name), ("threshold", "hard"));
        }
        Each("ashlar_pool_trash_bytes", "gauge", "What of the allocated space the trash holds.", pool => pool.TrashBytes);
        Each("ashlar_pool_volumes", "gauge", "Volumes.", pool => pool.VolumeCount);
        Each("ashlar_pool_healthy", "gauge", "1 without a warning, 0 with one.", pool => pool.Warnings.Count == 0 ? 1 : 0);
        text.Begin("ashlar_pool_raid_devices_lacking", "gauge", "Devices that the pool's RAID set goes on without, or rebuilds.");
        foreach (var pool in all)
        {
            if (pool.Raid is null) continue;
            text.Add(pool.Devices.Count(device => device is { Place: not null, State: not PoolDeviceStates.InSync }), ("pool", pool.Name));
        }
        Each("ashlar_pool_unverified_blocks", "gauge", "Blocks not verified since an unclean stop.", pool => pool.UnverifiedBlocks);

        var damage = served.ToDictionary(pool => pool.Name, pool => pool.Damage, StringComparer.Ordinal);
        Each("ashlar_pool_damaged_blocks", "gauge", "Blocks met that cannot be read.", pool => damage[pool.Name].Blocks);
        Each("ashlar_pool_damaged_map_pieces", "gauge", "Pieces of the map met that cannot be read.", pool => damage[pool.Name].MapPieces);

        var statistics = served.ToDictionary(pool => pool.Name, pool => pool.Statistics, StringComparer.Ordinal);
        Each("ashlar_pool_commits_total", "counter", "Commits that wrote the map.", pool => statistics[pool.Name].Commits);
        Each("ashlar_pool_device_flushes_total", "counter", "Flushes of the pool's device.", pool => statistics[pool.Name].DataFlushes);
        Each("ashlar_pool_map_loads_total", "counter", "Pieces of the map read from disk.", pool => statistics[pool.Name].MapLoads);

        void Each(string name, string type, string help, Func<Pool, double> value)
        {
            text.Begin(name, type, help);
            foreach (var pool in all) text.Add(value(pool), ("pool", pool.Name));
        }
    }
}
