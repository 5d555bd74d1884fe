namespace Ashlar.Planning;

/// <summary>Advises which kinds of store to run: one, unless a measured need earns another.</summary>
public static class Adviser
{
    // Two stores for two needs of nearly the same kind are one too many.
    const int NearlyAsGood = 15;

    /// <summary>What a restore from backup is taken to do, in one stream.</summary>
    public const long RestoreBytesPerSecond = 200L << 20;

    /// <summary>Advises.</summary>
    /// <param name="needs">What is kept, by whom it is run.</param>
    /// <param name="units">The one system of units that the sentences are written in.</param>
    /// <exception cref="PlanException">A number is out of range, needs contradict each other, or no kind of store serves them.</exception>
    public static Advice Advise(AdviceNeeds needs, UnitSystem units)
    {
        needs.Validate();
        var ranking = new StoreRanking(needs, units);
        var ranked = needs.Data.Select(ranking.Rank).ToArray();
        for (var i = 0; i < ranked.Length; i++)
        {
            if (ranked[i].Ranking[0].Rank is null)
                throw new PlanException(
                    "queries", $"no single kind of store serves {ranked[i].Needs}: describe it as several sets of data (--needs)");
        }

        var database = new OneDatabase(needs.OneNode, units);
        var objections = new string?[ranked.Length];
        for (var i = 0; i < ranked.Length; i++)
        {
            objections[i] = database.Objection(needs.Data[i])
                ?? (IsPossible(ranked[i], StoreKind.Relational) ? null : Blocker(ranked[i], StoreKind.Relational));
            if (objections[i] is null) database.Add(needs.Data[i]);
        }

        var places = Place(ranked, objections);
        var oneIsEnough = objections.All(objection => objection is null);
        return new()
        {
            OneIsEnough = oneIsEnough,
            Verdict = Verdict(needs, places, objections, database),
            Layout = [.. places.GroupBy(kind => kind).Select(group => Describe(needs, group.Key, places, objections, database))],
            Data = ranked,
        };
    }

    static StoreKind[] Place(RankedNeed[] ranked, string?[] objections)
    {
        // A single set of data goes where it is served best; several share the database wherever that does.
        if (ranked.Length == 1) return [ranked[0].Ranking[0].Kind];
        var places = new StoreKind[ranked.Length];
        var others = new List<StoreKind>();
        for (var i = 0; i < ranked.Length; i++)
        {
            if (objections[i] is null) continue;
            var best = ranked[i].Ranking[0];
            var shared = ranked[i].Ranking.FirstOrDefault(
                store => store.Rank is not null && store.Points >= best.Points - NearlyAsGood && others.Contains(store.Kind));
            places[i] = (shared ?? best).Kind;
            others.Add(places[i]);
        }

        return places;
    }

    static List<string> Verdict(AdviceNeeds needs, StoreKind[] places, string?[] objections, OneDatabase database)
    {
        var verdict = new List<string>();
        var earned = objections.OfType<string>().ToArray();
        if (earned.Length == 0)
        {
            // What the headline says to run is what the layout lists.
            if (places is [not StoreKind.Relational and var best])
            {
                verdict.Add($"One store is enough: {Article(StoreProfiles.Of(best).Name)}, the simplest that serves this alone.");
                verdict.Add("Where a relational database runs already, a table in it does as well: " + database.Describe());
            }
            else
            {
                verdict.Add("One well-tuned relational database is enough: " + database.Describe());
            }

            verdict.Add(
                "Add a store when a measurement says so, not before: "
                    + "each one is another thing to back up, to upgrade, and to keep in step.");
        }
        else
        {
            verdict.Add("One relational database is not enough:");
            verdict.AddRange(earned.Select(objection => $"- {objection.TrimEnd('.')}."));
            // Those that share the database.
            if (places.Contains(StoreKind.Relational) && places.Length > earned.Length)
                verdict.Add("It is enough for the rest: " + database.Describe());
        }

        verdict.AddRange(needs.Data
            .Where((_, i) => objections[i] is null && places[i] == StoreKind.Relational)
            .Select(OneDatabase.Reservation)
            .OfType<string>());
        verdict.AddRange(needs.Data
            .Where((need, i) => need.Role == DataRole.Derived && places[i] != StoreKind.Relational)
            .Select(need => $"{need.Name} is derived: its system of record is where it comes from, and can fill this again."));
        if (CacheVerdict(needs, places) is { } cache) verdict.Add(cache);
        return verdict;
    }

    static string Article(string name) => $"{("aio".Contains(name[0], StringComparison.Ordinal) ? "an" : "a")} {name}";

    static string? CacheVerdict(AdviceNeeds needs, StoreKind[] places)
    {
        var limit = needs.OneNode.Reads.PerSecond;
        var reads = needs.Data
            .Where((_, i) => places[i] == StoreKind.Relational || (places.Length == 1 && places[i] == StoreKind.KeyValue))
            .Sum(need => need.ReadsPerSecond);
        if (places.Contains(StoreKind.Cache))
            return "The cache holds what may be lost, and is no system of record. Nothing is only there that anybody would miss tomorrow.";
        if (reads == 0) return null;
        return reads > limit * 0.7m
            ? $"A cache in front is earned: {Words.Rate(reads, "reads")} are {Words.Percent(reads / limit)} of what one node serves "
                + $"({Rate.Format(limit)}). It is a cache: the system of record stays behind it."
            : $"No cache: {Words.Rate(reads, "reads")} are {Words.Percent(reads / limit)} of what one node serves ({Rate.Format(limit)}).";
    }

    static StoreInLayout Describe(AdviceNeeds needs, StoreKind kind, StoreKind[] places, string?[] objections, OneDatabase database)
    {
        var profile = StoreProfiles.Of(kind);
        var own = needs.Data.Where((_, i) => places[i] == kind).ToArray();
        var reasons = objections.Where((_, i) => places[i] == kind).OfType<string>().ToArray();
        var bytes = own.Aggregate((Int128)0, (sum, need) => sum + need.Bytes);
        var earnedBy = reasons.Length > 0
            ? string.Join("; ", reasons.Select(reason => reason.TrimEnd('.')))
            : own.Any(need => need.Consistency == Consistency.Transactions)
                ? $"transactions of {Words.Join(own.Where(need => need.Consistency == Consistency.Transactions).Select(need => need.Name))}"
                : places.Length == 1
                    ? $"{Words.Join(own[0].Queries.Select(Words.Of))}: nothing simpler serves them"
                    : "the default: what needs no store of its own";
        return new(
            kind,
            profile.Examples,
            [.. own.Select(need => need.Name)],
            StoreRanking.RoleOf(kind, own.Min(need => need.Role)),
            earnedBy,
            profile.TradeOff,
            profile.Partition,
            profile.Rpo,
            profile.Rto,
            kind == StoreKind.Cache || bytes == 0 || own.All(need => need.Role == DataRole.Ephemeral)
                ? null
                : (double)bytes / RestoreBytesPerSecond,
            profile.Ashlar);
    }

    static bool IsPossible(RankedNeed need, StoreKind kind) => need.Ranking.First(store => store.Kind == kind).Rank is not null;

    static string Blocker(RankedNeed need, StoreKind kind) => $"{need.Name}: {need.Ranking.First(store => store.Kind == kind).Reasons[0]}";
}
