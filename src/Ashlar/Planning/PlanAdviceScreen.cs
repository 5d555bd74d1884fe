using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary>Advice for people.</summary>
static class PlanAdviceScreen
{
    const int ShortRanking = 3;

    public static void Write(TextWriter writer, Style style, Advice advice, UnitSystem units, int? top)
    {
        writer.WriteLine(style.Bold("Verdict"));
        foreach (var line in advice.Verdict) PlanAnswer.WriteText(writer, line, "   ", line.StartsWith('-') ? "     " : "   ");
        writer.WriteLine();
        for (var i = 0; i < advice.Layout.Count; i++) WriteStore(writer, style, i + 1, advice.Layout[i], units);
        var told = advice.Layout.Select(store => store.Kind).ToHashSet();
        foreach (var data in advice.Data) WriteRanking(writer, style, data, top, told);
    }

    static void WriteStore(TextWriter writer, Style style, int number, StoreInLayout store, UnitSystem units)
    {
        writer.WriteLine(style.Bold($"Run {number}: {Name(store.Kind)}") + $" for {string.Join(", ", store.Data)} ({store.Role})");
        PlanAnswer.WriteFact(writer, style, "For example", store.Examples);
        PlanAnswer.WriteFact(writer, style, "Earned by", store.EarnedBy);
        PlanAnswer.WriteFact(writer, style, "Trade-off", store.TradeOff);
        PlanAnswer.WriteFact(writer, style, "Partition", store.Partition);
        PlanAnswer.WriteFact(writer, style, "RPO", store.Rpo);
        PlanAnswer.WriteFact(writer, style, "RTO", store.RestoreSeconds is { } seconds
            ? $"{store.Rto}; a restore from backup takes {Period.Format(seconds)} at "
                + $"{ByteAmount.Format(Adviser.RestoreBytesPerSecond, units)}/s"
            : store.Rto);
        PlanAnswer.WriteFact(writer, style, "Ashlar", store.Ashlar);
        writer.WriteLine();
    }

    static void WriteRanking(TextWriter writer, Style style, RankedNeed data, int? most, HashSet<StoreKind> told)
    {
        PlanAnswer.WriteText(writer, $"{data.Needs}", $"Ranking for {data.Name}: ", "   ");
        if (most is not { } top)
        {
            WriteShortRanking(writer, data);
            return;
        }

        foreach (var store in data.Ranking)
        {
            if (store.Rank is not { } rank || rank > top)
            {
                WriteBriefly(writer, store);
                continue;
            }

            writer.WriteLine($"{rank}. {style.Bold(Name(store.Kind))}: {store.Fit} ({store.Role})");
            PlanAnswer.WriteFact(writer, style, "For example", store.Examples);
            PlanAnswer.WriteFact(writer, style, "Why", string.Join(' ', store.Reasons));
            if (!told.Add(store.Kind)) continue;
            PlanAnswer.WriteFact(writer, style, "Trade-off", store.TradeOff);
            PlanAnswer.WriteFact(writer, style, "Partition", store.Partition);
            PlanAnswer.WriteFact(writer, style, "RPO", store.Rpo);
            PlanAnswer.WriteFact(writer, style, "RTO", store.Rto);
        }

        writer.WriteLine();
    }

    // The layout has told about the best already; of the others it is enough here why they come after it.
    static void WriteShortRanking(TextWriter writer, RankedNeed data)
    {
        foreach (var store in data.Ranking.Where(store => store.Rank is not null).Take(ShortRanking)) WriteBriefly(writer, store);
        var more = data.Ranking.Count(store => store.Rank > ShortRanking);
        var ruledOut = data.Ranking.Where(store => store.Rank is null).Select(store => Name(store.Kind)).ToArray();
        var rest = more > 0 ? $"{more} more would do. " : "";
        if (ruledOut.Length > 0) rest += $"Ruled out: {string.Join(", ", ruledOut)}. ";
        PlanAnswer.WriteText(writer, $"{rest}(--top 10 says why.)", "", "   ");
        writer.WriteLine();
    }

    static void WriteBriefly(TextWriter writer, RankedStore store)
    {
        var label = store.Rank is { } rank ? $"{rank}. {Name(store.Kind)}: {store.Fit}" : $"-  {Name(store.Kind)}: no";
        // The first reason for a store is what it is good at; what speaks against it here comes later.
        var reason = store.Rank is null ? store.Reasons[0] : store.Reasons.Count > 1 ? store.Reasons[^1] : store.TradeOff;
        PlanAnswer.WriteText(writer, reason, $"{label}. ", "   ");
    }

    static string Name(StoreKind kind) => kind switch
    {
        StoreKind.Relational => "relational database",
        StoreKind.Document => "document database",
        StoreKind.KeyValue => "key-value store",
        StoreKind.WideColumn => "wide-column store",
        StoreKind.TimeSeries => "time-series database",
        StoreKind.Search => "search engine",
        StoreKind.Object => "object store",
        StoreKind.Columnar => "columnar warehouse",
        StoreKind.Graph => "graph database",
        _ => "in-memory cache",
    };
}
