using Ashlar.Api;
using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Figures of the file store. Counters are since the server began to serve, and states as of the last look.</summary>
static class FileMetrics
{
    static readonly string[] NodeStates =
        [FileNodeStates.Up, FileNodeStates.Suspect, FileNodeStates.Unavailable, FileNodeStates.Draining, FileNodeStates.Lost];

    public static void AddTo(PrometheusText text, FileStores files, FileRequests requests)
    {
        text.Begin("ashlar_files_available", "gauge", "1 if files can be read and changed, 0 if the store or its metadata refuse.");
        text.Add(files.Store is { Failure: null } ? 1 : 0);
        if (files.Store is not { } store) return;
        AddRequests(text, requests);
        AddTraffic(text, store.Service.Traffic, store.Caches.GetStatus());
        AddNodes(text, store);
        AddUpkeep(text, store);
    }

    static void AddRequests(PrometheusText text, FileRequests requests)
    {
        var all = requests.All.ToArray();
        text.Begin("ashlar_file_failed_requests_total", "counter", "Requests that failed or were refused.");
        foreach (var (key, totals) in all) text.Add(totals.Failed, ("protocol", key.Protocol), ("operation", key.Operation));
        text.Begin(
            "ashlar_file_request_duration_seconds", "histogram", "How long requests that succeeded took, to the end of their answers.");
        foreach (var ((protocol, operation), totals) in all)
        {
            // Buckets first: the count, which is read after them, is never below one.
            foreach (var (exponent, count) in totals.Faster.ToArray())
            {
                var bound = PrometheusText.Number((1L << exponent) / 1e9);
                text.Add("_bucket", count, ("protocol", protocol), ("operation", operation), ("le", bound));
            }

            var total = totals.Count;
            text.Add("_bucket", total, ("protocol", protocol), ("operation", operation), ("le", "+Inf"));
            text.Add("_sum", totals.Seconds, ("protocol", protocol), ("operation", operation));
            text.Add("_count", total, ("protocol", protocol), ("operation", operation));
        }
    }

    static void AddTraffic(PrometheusText text, FileTraffic traffic, FileCacheStatus cache)
    {
        text.Begin("ashlar_file_bytes_total", "counter", "Content that came, and that readers were given.");
        text.Add(traffic.WrittenBytes, ("operation", "write"));
        text.Add(traffic.ReadBytes, ("operation", "read"));
        var (known, fresh) = traffic.Blocks;
        text.Begin("ashlar_file_uploaded_blocks_total", "counter", "Blocks of uploads that the store had already, and that were new.");
        text.Add(known, ("content", "known"));
        text.Add(fresh, ("content", "new"));
        text.Begin("ashlar_file_cache_requests_total", "counter", "Pieces of blocks that were in a cache, and that were not.");
        text.Add(cache.MemoryHits, ("cache", "memory"), ("result", "hit"));
        text.Add(cache.MemoryMisses, ("cache", "memory"), ("result", "miss"));
        if (cache.Directory is null) return;
        text.Add(cache.DiskHits, ("cache", "disk"), ("result", "hit"));
        text.Add(cache.DiskMisses, ("cache", "disk"), ("result", "miss"));
    }

    static void AddNodes(PrometheusText text, FileStore store)
    {
        var nodes = store.LastSeen;
        text.Begin("ashlar_file_nodes", "gauge", "Storage nodes in each state.");
        foreach (var state in NodeStates) text.Add(nodes.Count(node => node.State == state), ("state", state));
        text.Begin("ashlar_file_node_free_bytes", "gauge", "What blocks may still take on a storage node; absent where that is not known.");
        foreach (var node in nodes)
            if (node.FreeBytes is { } free) text.Add(free, ("node", node.Name));
        text.Begin("ashlar_file_node_errors_total", "counter", "Calls on the disk of a storage node that have failed since it was opened.");
        foreach (var node in nodes) text.Add(node.ErrorCount, ("node", node.Name));
    }

    static void AddUpkeep(PrometheusText text, FileStore store)
    {
        text.Begin(
            "ashlar_file_blocks_to_repair", "gauge", "Blocks with fewer copies than they should have, or reported; counted up to 10,000.");
        text.Add(store.BlocksToRepair);
        text.Begin("ashlar_file_unreadable_blocks", "gauge", "Blocks of which no copy could be read when they were looked after.");
        text.Add(store.Repair.Unreadable.Count);
        var (condemned, deleted, deletedBytes) = store.Totals.Collected;
        text.Begin("ashlar_file_collected_blocks_total", "counter", "Blocks that the collector has condemned, and deleted.");
        text.Add(condemned, ("step", "condemned"));
        text.Add(deleted, ("step", "deleted"));
        text.Begin("ashlar_file_collected_bytes_total", "counter", "Length of the blocks that the collector has deleted, each once.");
        text.Add(deletedBytes);
        var scrubs = store.Totals.Scrubs.OrderBy(scrub => scrub.Node, StringComparer.Ordinal).ToArray();
        text.Begin("ashlar_file_scrubbed_bytes_total", "counter", "What scrubs have read of a storage node and found good.");
        foreach (var scrub in scrubs) text.Add(scrub.Bytes, ("node", scrub.Node));
        text.Begin("ashlar_file_scrub_bad_copies_total", "counter", "Copies that scrubs have found not to be what they should be.");
        foreach (var scrub in scrubs) text.Add(scrub.Bad, ("node", scrub.Node));
    }
}
