using System.Globalization;

namespace Ashlar.Planning;

/// <summary>Words for people.</summary>
static class Words
{
    public static string Of(QueryPattern pattern) => pattern switch
    {
        QueryPattern.Lookup => "look-ups by key",
        QueryPattern.Range => "ranges in order",
        QueryPattern.Transaction => "transactions",
        QueryPattern.Join => "joins",
        QueryPattern.Document => "nested documents",
        QueryPattern.Aggregate => "aggregates",
        QueryPattern.Window => "time windows",
        QueryPattern.Search => "full-text search",
        QueryPattern.Traverse => "paths in a graph",
        QueryPattern.Nearby => "what is nearby",
        QueryPattern.Blob => "large blobs",
        _ => "expiry",
    };

    public static string Of(Consistency consistency) => consistency switch
    {
        Consistency.Transactions => "transactional consistency",
        Consistency.Strong => "strong consistency of a record",
        Consistency.Session => "session consistency (one's own writes at once)",
        _ => "eventual consistency",
    };

    public static string Of(DataRole role) => role switch
    {
        DataRole.Record => "system of record",
        DataRole.Derived => "derived",
        _ => "ephemeral",
    };

    public static string Join(IEnumerable<string> words)
    {
        var all = words.ToArray();
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    /// <summary>"0.2 %", "63 %".</summary>
    public static string Percent(decimal share) => share switch
    {
        >= 0.1m => string.Create(CultureInfo.InvariantCulture, $"{share * 100:N0} %"),
        >= 0.001m => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %"),
        _ => "less than 0.1 %",
    };

    /// <summary>"500 writes/s".</summary>
    public static string Rate(decimal perSecond, string what) =>
        Planning.Rate.Format(perSecond).Replace("/", $" {what}/", StringComparison.Ordinal);

    /// <summary>"6.3 times".</summary>
    public static string Times(decimal factor) => factor >= 10
        ? string.Create(CultureInfo.InvariantCulture, $"{factor:N0} times")
        : string.Create(CultureInfo.InvariantCulture, $"{factor:0.#} times");
}
