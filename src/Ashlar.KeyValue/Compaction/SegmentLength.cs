using Ashlar.KeyValue.Options;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// How much garbage the values of one segment of the log may make: it is given back when the segment's memtable is a table, and until
/// then is beside what <see cref="KeyValueOptions.SpaceAmplification"/> allows. So segments of small stores that are overwritten are short.
/// </summary>
/// <remarks>
/// With each segment a memtable ends, which takes half a dozen flushes of the disk and a table. Shorter than 8 MiB that would be felt; and
/// a quarter of the allowed garbage leaves as much of it to collection as makes moving cheap, with the memtables that wait. Short values,
/// which become part of tables, do not count: their log goes with the memtable, which bounds it.
/// </remarks>
static class SegmentLength
{
    const long MinBytes = 8 << 20;

    /// <summary>Of the garbage that is allowed.</summary>
    const double Share = 0.25;

    /// <summary>Garbage after which a segment ends (<see cref="SegmentEnd"/>).</summary>
    /// <param name="options">Of the store.</param>
    /// <param name="liveBytes">Values that are live, by estimate.</param>
    public static long Of(KeyValueOptions options, double liveBytes) =>
        (long)Math.Min(options.LogSegmentBytes, Math.Max(MinBytes, Share * (options.SpaceAmplification - 1) * liveBytes));

    /// <summary>
    /// What files may take beyond what is live, however little that is: two segments, and four where they are short, because as many may be
    /// under way between writers and tables.
    /// </summary>
    public static double Spare(KeyValueOptions options, double liveBytes) =>
        Math.Max(2.0 * Of(options, liveBytes), Math.Min(2.0 * options.LogSegmentBytes, 4.0 * MinBytes));
}
