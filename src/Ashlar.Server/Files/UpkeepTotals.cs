using System.Collections.Concurrent;
using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>What upkeep of files has done since the server began to serve. Any thread.</summary>
sealed class UpkeepTotals
{
    readonly ConcurrentDictionary<string, Scrubbed> scrubbed = new(StringComparer.Ordinal);
    long condemned, deleted, deletedBytes, purged, shortBlocks;

    /// <summary>Blocks that the collector has condemned, and deleted.</summary>
    public (long Condemned, long Deleted, long DeletedBytes) Collected =>
        (Interlocked.Read(ref condemned), Interlocked.Read(ref deleted), Interlocked.Read(ref deletedBytes));

    /// <summary>Copies that have gone for good out of the trash of their nodes.</summary>
    public long Purged => Interlocked.Read(ref purged);

    /// <summary>Blocks that had fewer copies than they should have when repair was through; 0 since there are none.</summary>
    public long ShortBlocks
    {
        get => Interlocked.Read(ref shortBlocks);
        set => Interlocked.Exchange(ref shortBlocks, value);
    }

    /// <summary>What scrubs have read of each node, and how many copies were not what they should be.</summary>
    public IEnumerable<(string Node, long Bytes, long Bad)> Scrubs =>
        scrubbed.Select(pair => (pair.Key, Interlocked.Read(ref pair.Value.Bytes), Interlocked.Read(ref pair.Value.Bad)));

    public void AddCollected(CollectionReport report)
    {
        Interlocked.Add(ref condemned, report.Condemned);
        Interlocked.Add(ref deleted, report.Deleted);
        Interlocked.Add(ref deletedBytes, report.DeletedBytes);
        Interlocked.Add(ref purged, report.Purged);
    }

    public void AddScrubbed(string node, long bytes, int bad)
    {
        var all = scrubbed.GetOrAdd(node, static _ => new());
        Interlocked.Add(ref all.Bytes, bytes);
        Interlocked.Add(ref all.Bad, bad);
    }

    sealed class Scrubbed
    {
        public long Bytes, Bad;
    }
}
