namespace Ashlar.Planning;

/// <summary>Whether one well-tuned relational database does, by numbers.</summary>
/// <param name="node">What it does.</param>
/// <param name="units">For its sentences.</param>
sealed class OneDatabase(OneNode node, UnitSystem units)
{
    // Above that, a busy hour or a year of growth is an outage.
    const decimal MostUsed = 0.7m;

    // Up to here, what is served with effort is served well enough.
    const decimal Little = 0.1m;

    decimal reads, writes, bytes;

    /// <summary>Why this data does not go there as well; null if it does.</summary>
    public string? Objection(DataNeed need)
    {
        var profile = StoreProfiles.Of(StoreKind.Relational);
        if (need.WritesPerSecond > Limit(node.Writes.PerSecond))
            return TooMuch(need.Name, need.WritesPerSecond, node.Writes.PerSecond, "writes", "that one primary takes");
        if (need.ReadsPerSecond > Limit(ReadLimit(need)))
            return TooMuch(
                need.Name,
                need.ReadsPerSecond,
                ReadLimit(need),
                "reads",
                need.Consistency <= Consistency.Session ? "that it serves with four read copies" : "that it serves");
        if (need.Bytes > Limit(node.Bytes))
        {
            return $"{need.Name}: {Size(need.Bytes)} is {Compare(need.Bytes, node.Bytes)} the {Size(node.Bytes)} that one database is run "
                + $"with; it is enough up to {Size((long)Limit(node.Bytes))}: keep less, or sums instead of single records";
        }

        var poor = need.Queries.Where(query => profile.Fit(query) == 1).Select(Words.Of).ToArray();
        if (poor.Length > 0 && Use(need) > Little)
            return $"{need.Name}: it serves {Words.Join(poor)} only with effort, which is fine up to {Words.Percent(Little)} of its "
                + $"limits; this load is {Words.Percent(Use(need))} of them";
        if (writes + need.WritesPerSecond > Limit(node.Writes.PerSecond)
            || bytes + need.Bytes > Limit(node.Bytes)
            || reads + need.ReadsPerSecond > Limit(ReadLimit(need)))
            return $"{need.Name}: with what is there already it is more than {Words.Percent(MostUsed)} of what one database does";
        return null;
    }

    /// <summary>What data that goes there is served with effort only, and what would be made for it.</summary>
    public static string? Reservation(DataNeed need)
    {
        var profile = StoreProfiles.Of(StoreKind.Relational);
        var poor = need.Queries.Where(query => profile.Fit(query) == 1).ToArray();
        if (poor.Length == 0) return null;
        var made = StoreProfiles.All.MaxBy(other => (poor.Sum(other.Fit) * 10) - other.People)!;
        return $"{need.Name}: {Words.Join(poor.Select(Words.Of))} will do at this load; a {made.Name} beside "
            + $"it{(made.MayBeRecord ? "" : ", filled from it,")} is earned when that is measured to be too slow or too poor.";
    }

    public void Add(DataNeed need)
    {
        reads += need.ReadsPerSecond;
        writes += need.WritesPerSecond;
        bytes += need.Bytes;
    }

    /// <summary>"40 writes/s are 0.2 % of ...": what it is used for.</summary>
    public string Describe() =>
        $"{Words.Rate(writes, "writes")} are {Words.Percent(writes / node.Writes.PerSecond)} of the {Rate.Format(node.Writes.PerSecond)} "
        + "that one node takes, "
        + $"{Words.Rate(reads, "reads")} {Words.Percent(reads / node.Reads.PerSecond)} of {Rate.Format(node.Reads.PerSecond)}, "
        + $"{Size((long)bytes)} {Words.Percent(bytes / node.Bytes)} of {Size(node.Bytes)}.";

    static decimal Limit(decimal all) => all * MostUsed;

    // Copies answer who may see what is a little old.
    decimal ReadLimit(DataNeed need) => node.Reads.PerSecond * (need.Consistency <= Consistency.Session ? 5 : 1);

    decimal Use(DataNeed need) => Math.Max(
        Math.Max(need.WritesPerSecond / node.Writes.PerSecond, need.ReadsPerSecond / node.Reads.PerSecond),
        need.Bytes / (decimal)node.Bytes);

    string Size(long size) => ByteAmount.Format(size, units);

    static string Compare(decimal all, decimal limit) => all > limit ? Words.Times(all / limit) : $"{Words.Percent(all / limit)} of";

    static string TooMuch(string name, decimal rate, decimal limit, string what, string who) =>
        $"{name}: {Words.Rate(rate, what)} are {Compare(rate, limit)} the {Rate.Format(limit)} {who}; it is enough up to "
            + $"{Rate.Format(Limit(limit))}, which leaves room for a bad hour";
}
