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
            return TooMuch(need.Name, need.WritesPerSecond, node.Writes.PerSecond, "writes", "one primary takes");
        if (need.Bytes > Limit(node.Bytes))
            return $"{need.Name}: {ByteAmount.Format(need.Bytes, units)} is {Words.Times(need.Bytes / (decimal)node.Bytes)} the {ByteAmount.Format(node.Bytes, units)} that one database is run with";
        if (need.ReadsPerSecond > Limit(ReadLimit(need)))
            return TooMuch(need.Name, need.ReadsPerSecond, ReadLimit(need), "reads", need.Consistency <= Consistency.Session ? "it serves with four read copies" : "it serves");

        var poor = need.Queries.Where(query => profile.Fit(query) == 1).Select(Words.Of).ToArray();
        if (poor.Length > 0 && Use(need) > Little)
            return $"{need.Name}: {Words.Join(poor)} at {Rate.Format(need.ReadsPerSecond)} reads and {Rate.Format(need.WritesPerSecond)} writes: it can do that, but not at {Words.Percent(Use(need))} of what it does at best";
        if (writes + need.WritesPerSecond > Limit(node.Writes.PerSecond) || bytes + need.Bytes > Limit(node.Bytes) || reads + need.ReadsPerSecond > Limit(ReadLimit(need)))
            return $"{need.Name}: with what is there already it is more than {Words.Percent(MostUsed)} of what one database does";
        return null;
    }

    public void Add(DataNeed need)
    {
        reads += need.ReadsPerSecond;
        writes += need.WritesPerSecond;
        bytes += need.Bytes;
    }

    /// <summary>"40/s writes are 0.2 % of ...": what it is used for.</summary>
    public string Describe() =>
        $"{Rate.Format(writes)} writes are {Words.Percent(writes / node.Writes.PerSecond)} of the {Rate.Format(node.Writes.PerSecond)} that one node takes, "
        + $"{Rate.Format(reads)} reads {Words.Percent(reads / node.Reads.PerSecond)} of {Rate.Format(node.Reads.PerSecond)}, "
        + $"{ByteAmount.Format((long)bytes, units)} {Words.Percent(bytes / node.Bytes)} of {ByteAmount.Format(node.Bytes, units)}.";

    static decimal Limit(decimal all) => all * MostUsed;

    // Copies answer who may see what is a little old.
    decimal ReadLimit(DataNeed need) => node.Reads.PerSecond * (need.Consistency <= Consistency.Session ? 5 : 1);

    decimal Use(DataNeed need) => Math.Max(
        Math.Max(need.WritesPerSecond / node.Writes.PerSecond, need.ReadsPerSecond / node.Reads.PerSecond), need.Bytes / (decimal)node.Bytes);

    static string TooMuch(string name, decimal rate, decimal limit, string what, string who) => rate > limit
        ? $"{name}: {Rate.Format(rate)} {what} are {Words.Times(rate / limit)} the {Rate.Format(limit)} that {who}"
        : $"{name}: {Rate.Format(rate)} {what} are {Words.Percent(rate / limit)} of the {Rate.Format(limit)} that {who}, which leaves no room to grow";
}
