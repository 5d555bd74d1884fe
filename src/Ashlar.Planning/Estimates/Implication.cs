namespace Ashlar.Planning;

/// <summary>What a ratio of reads to writes implies.</summary>
static class Implication
{
    public static IReadOnlyList<string> Of(decimal? readsPerWrite) => readsPerWrite switch
    {
        null => ["Reads are not given (--reads, or --users with --reads-per-user): there is no ratio to conclude from."],
        >= 100 =>
        [
            "Nearly all reads: whatever makes a read cheap pays, even if a write costs more. Indexes and precomputed views are worth it.",
            "A cache helps if few records take most reads; copies spread reads, at the price of reading what is a little old.",
        ],
        >= 10 =>
        [
            "Read-heavy: indexes that save a scan pay for themselves. Read copies, or a cache once one node is measured to be full.",
            "A B-tree's in-place pages or an LSM tree's merged levels both do; keep the hot set in memory.",
        ],
        >= 1 =>
        [
            "Mixed: neither side may be sacrificed. Every index costs at each write, so keep those that a query uses.",
            "One database with memory for the hot set does; a cache gains less than the ratio, since writes invalidate it.",
        ],
        _ =>
        [
            "Write-heavy: append and merge (an LSM tree, a log, partitions by time) rather than change in place. Few indexes.",
            "Batch and group commits: flushes bind before anything else. Read copies gain little, since each of them takes every write.",
        ],
    };
}
