namespace Ashlar.Planning;

/// <summary>Ranks the kinds of store for one set of data.</summary>
/// <param name="needs">Team and limits.</param>
/// <param name="units">For its sentences.</param>
sealed class StoreRanking(AdviceNeeds needs, UnitSystem units)
{
    const decimal MostOfOneNode = 4; // Sharding by hand is conceivable up to so many machines.
    const long MemoryBytes = 256L << 30;

    public RankedNeed Rank(DataNeed need)
    {
        var assessed = StoreProfiles.All.Select(profile => Assess(profile, need)).ToArray();
        // Equal points: the one that fewer people run, then the one that brings less along that is not used.
        var possible = assessed.Where(store => store.Blockers.Count == 0)
            .OrderByDescending(store => store.Points)
            .ThenBy(store => store.Profile.People)
            .ThenBy(store => store.Profile.Fits.Count)
            .Select((store, i) => ToRanked(store, need, i + 1));
        var impossible = assessed
            .Where(store => store.Blockers.Count > 0)
            .OrderBy(store => store.Blockers.Count)
            .Select(store => ToRanked(store, need, null));
        return new(need.Name, Describe(need), [.. possible, .. impossible]);
    }

    string Describe(DataNeed need) => string.Join("; ", ((string?[])
    [
        Words.Join(need.Queries.Select(Words.Of)),
        Words.Of(need.Consistency),
        Words.Of(need.Role),
        need.Writes is null ? null : Words.Rate(need.WritesPerSecond, "writes"),
        need.Reads is null ? null : Words.Rate(need.ReadsPerSecond, "reads"),
        need.Bytes == 0 ? null : ByteAmount.Format(need.Bytes, units),
    ]).OfType<string>());

    static RankedStore ToRanked(Assessed store, DataNeed need, int? rank) => new(
        rank,
        store.Profile.Kind,
        store.Profile.Examples,
        rank is null ? "no" : rank == 1 ? "best" : store.LeastFit >= 2 && store.Points >= 70 ? "good" : "possible",
        store.Points,
        RoleOf(store.Profile.Kind, need.Role),
        rank is null ? store.Blockers : store.Reasons,
        store.Profile.TradeOff,
        store.Profile.Partition,
        store.Profile.Rpo,
        store.Profile.Rto);

    public static string RoleOf(StoreKind kind, DataRole role) => kind switch
    {
        StoreKind.Cache => "cache, never system of record",
        StoreKind.Search => "derived store (an index), never system of record",
        _ when role == DataRole.Record => "system of record",
        _ when role == DataRole.Derived => "derived store",
        _ => "ephemeral store, no system of record",
    };

    Assessed Assess(StoreProfile profile, DataNeed need)
    {
        var fits = need.Queries.Select(profile.Fit).ToArray();
        var assessed = new Assessed(profile, fits.Min(), (20 * fits.Min()) + (20 * fits.Sum() / fits.Length), [], []);
        Block(assessed, need);
        if (assessed.Blockers.Count > 0) return assessed;

        assessed.Reasons.Add(profile.Strength);
        if (Served(assessed.Profile, need, 3) is { } made) assessed.Reasons.Add($"Made for {made}.");
        if (Served(assessed.Profile, need, 1) is { } effort) assessed.Reasons.Add($"Only with effort: {effort}.");
        JudgeScale(assessed, need);
        JudgeRole(assessed, need);
        assessed.Points -= 4 * (profile.People - 1);
        if (profile.People > needs.Team)
        {
            assessed.Points -= 15 * (profile.People - needs.Team);
            assessed.Reasons.Add(
                $"Wants {profile.People} people who can run it; there {(needs.Team == 1 ? "is 1" : $"are {needs.Team}")}.");
        }

        return assessed;
    }

    void Block(Assessed store, DataNeed need)
    {
        var profile = store.Profile;
        if (Served(profile, need, 0) is { } missing) store.Blockers.Add($"Does not serve {missing}.");
        if (need.Consistency > profile.Consistency)
            store.Blockers.Add($"Gives {Words.Of(profile.Consistency)} at most; {Words.Of(need.Consistency)} is needed.");
        if (need.Role == DataRole.Record && !profile.MayBeRecord)
            store.Blockers.Add("Is no system of record: it may lose what it acknowledged.");
        if (profile.ScalesOut) return;
        var (writes, size) = (need.WritesPerSecond / needs.OneNode.Writes.PerSecond, need.Bytes / (decimal)needs.OneNode.Bytes);
        if (writes > MostOfOneNode)
            store.Blockers.Add(
                $"{Words.Rate(need.WritesPerSecond, "writes")} are {Words.Times(writes)} what one primary takes "
                    + $"({Rate.Format(needs.OneNode.Writes.PerSecond)}).");
        if (size > MostOfOneNode)
            store.Blockers.Add(
                $"{ByteAmount.Format(need.Bytes, units)} is {Words.Times(size)} what one machine is run with "
                    + $"({ByteAmount.Format(needs.OneNode.Bytes, units)}).");
    }

    void JudgeScale(Assessed store, DataNeed need)
    {
        var (writes, size) = (need.WritesPerSecond / needs.OneNode.Writes.PerSecond, need.Bytes / (decimal)needs.OneNode.Bytes);
        if (!store.Profile.ScalesOut)
        {
            if (writes > 1)
                store.Against(
                    40,
                    $"{Words.Rate(need.WritesPerSecond, "writes")} are {Words.Times(writes)} what one primary takes: it would have to be "
                        + "sharded by hand.");
            else if (need.Writes is not null)
                store.Reasons.Add(
                    $"{Words.Rate(need.WritesPerSecond, "writes")} are {Words.Percent(writes)} of what one primary takes "
                        + $"({Rate.Format(needs.OneNode.Writes.PerSecond)}).");
            if (size > 1)
                store.Against(
                    30,
                    $"{ByteAmount.Format(need.Bytes, units)} is {Words.Times(size)} what one machine is run with: backups, restores and "
                        + "vacuuming take days.");
            if (need.ReadsPerSecond > needs.OneNode.Reads.PerSecond)
                store.Against(10, $"{Words.Rate(need.ReadsPerSecond, "reads")} want read copies, which are a little old.");
        }
        else if (writes > 1)
        {
            JudgeManyWrites(store, need);
        }
        else if (store.Profile.Kind == StoreKind.WideColumn && size <= 1)
        {
            store.Against(15, "Neither writes nor size need several nodes: its price is not earned.");
        }
    }

    void JudgeManyWrites(Assessed store, DataNeed need)
    {
        var rate = Words.Rate(need.WritesPerSecond, "writes");
        var each = needs.OneNode.Writes.PerSecond * store.Profile.WritesOfNode;
        var nodes = decimal.Ceiling(need.WritesPerSecond / each / 0.7m);
        var byNodes =
            $"{rate} are taken by adding nodes: {Numeral.Format(nodes)} for each copy, at {Rate.Format(each)} a node and 70 % used.";
        if (store.Profile.Kind is StoreKind.Object or StoreKind.Search or StoreKind.Columnar)
            store.Against(10, $"{rate} must be put into batches before they come here.");
        else if (store.Profile.Kind == StoreKind.Document)
            store.Against(20, byNodes + " Each write changes its secondary indexes, too.");
        else
            store.For(15, byNodes);
    }

    void JudgeRole(Assessed store, DataNeed need)
    {
        if (store.Profile.Kind == StoreKind.Cache)
        {
            if (need.Bytes > MemoryBytes) store.Against(40, $"{ByteAmount.Format(need.Bytes, units)} of memory, once for each copy.");
            else if (need.Bytes > 0) store.Reasons.Add($"{ByteAmount.Format(need.Bytes, units)} fits into the memory of a machine.");
            if (need.Role == DataRole.Ephemeral)
                store.Reasons.Add(
                    "A failover forgets the last seconds, a restart everything: affordable here, and no disk has to keep up.");
            else store.Against(5, "A failover forgets the last seconds: something else must be able to fill it again.");
        }

        if (store.Profile.Kind == StoreKind.Object && !need.Queries.Contains(QueryPattern.Blob))
            store.Against(25, "Small records do not repay a request each.");
        if (store.Profile.Kind == StoreKind.Columnar
            && need.WritesPerSecond is > 10
            && need.WritesPerSecond <= needs.OneNode.Writes.PerSecond)
            store.Reasons.Add(
                $"{Words.Rate(need.WritesPerSecond, "writes")} must come in batches, a second or more of them at once: put a log or a "
                    + "buffer in front.");
        if (need.Role == DataRole.Record && store.Profile.Kind is StoreKind.Columnar)
            store.Against(10, "Corrections of single records are slow, which a system of record needs.");
        if (need.Role == DataRole.Derived && store.Profile.Kind is StoreKind.Columnar or StoreKind.Search)
            store.Reasons.Add("Filled from the system of record, and filled again from there if it is lost.");
    }

    static string? Served(StoreProfile profile, DataNeed need, int fit)
    {
        var patterns = need.Queries.Where(query => profile.Fit(query) == fit).Select(Words.Of).ToArray();
        return patterns.Length == 0 ? null : Words.Join(patterns);
    }

    sealed record Assessed(StoreProfile Profile, int LeastFit, int Points, List<string> Reasons, List<string> Blockers)
    {
        public int Points { get; set; } = Points;

        public void For(int points, string reason)
        {
            Points += points;
            Reasons.Add(reason);
        }

        public void Against(int points, string reason) => For(-points, reason);
    }
}
