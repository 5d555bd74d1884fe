using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Planning.Tests;

/// <summary>What a storage engineer would say to the five cases, and to what lies between them.</summary>
public sealed class AdviceTests
{
    [Fact]
    public void Orders_are_one_relational_database()
    {
        var advice = OfCase("orders");
        Assert.True(advice.OneIsEnough);
        var store = Assert.Single(advice.Layout);
        Assert.Equal((StoreKind.Relational, "system of record"), (store.Kind, store.Role));
        Assert.Equal(["orders", "catalogue"], store.Data);
        Assert.Equal([StoreKind.Relational, StoreKind.Document], Possible(advice, "orders").Take(2));
        Assert.Contains("510 writes/s are 2.6 %", advice.Verdict[0], StringComparison.Ordinal); // 510 / 20,000 = 2.55 %
        Assert.Contains("a search engine beside it, filled from it, is earned when", string.Join(' ', advice.Verdict), StringComparison.Ordinal);
        Assert.StartsWith("No cache: 10,000 reads/s are 10 %", advice.Verdict[^1], StringComparison.Ordinal);
        Assert.Contains("Is no system of record", Of(advice, "catalogue", StoreKind.Search).Reasons[0], StringComparison.Ordinal);
        Assert.Equal(2.0 * (1L << 40) / (200L << 20), store.RestoreSeconds!.Value, 0.02 * store.RestoreSeconds.Value); // 2.9 h
    }

    [Fact]
    public void A_dashboard_is_a_derived_columnar_warehouse()
    {
        var advice = OfCase("dashboard");
        Assert.False(advice.OneIsEnough);
        var store = Assert.Single(advice.Layout);
        Assert.Equal((StoreKind.Columnar, "derived store"), (store.Kind, store.Role));
        Assert.Equal([StoreKind.Columnar, StoreKind.TimeSeries, StoreKind.Relational], Possible(advice, "events").Take(3));
        Assert.Contains("20.00 TiB is 2 times the 10.00 TiB", store.EarnedBy, StringComparison.Ordinal);
        Assert.Contains("it is enough up to 7.00 TiB", store.EarnedBy, StringComparison.Ordinal);
        Assert.Contains("batches", string.Join(' ', Of(advice, "events", StoreKind.Columnar).Reasons), StringComparison.Ordinal);
        Assert.Contains("its system of record is where it comes from", string.Join(' ', advice.Verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_are_a_cache_and_a_key_value_store_comes_second()
    {
        var advice = OfCase("sessions");
        var store = Assert.Single(advice.Layout);
        Assert.Equal((StoreKind.Cache, "cache, never system of record"), (store.Kind, store.Role));
        Assert.Contains("Redis", store.Examples, StringComparison.Ordinal);
        Assert.Equal([StoreKind.Cache, StoreKind.KeyValue], Possible(advice, "sessions").Take(2));
        Assert.Equal("ephemeral store, no system of record", Of(advice, "sessions", StoreKind.KeyValue).Role);
        Assert.Contains("expiry only with effort", store.EarnedBy, StringComparison.Ordinal);
        Assert.Null(store.RestoreSeconds); // Nobody restores sessions.
    }

    [Fact]
    public void Rides_earn_three_stores_and_no_more()
    {
        var advice = OfCase("rides");
        Assert.False(advice.OneIsEnough);
        Assert.Equal([StoreKind.Relational, StoreKind.Cache, StoreKind.TimeSeries], advice.Layout.Select(store => store.Kind));
        Assert.Equal(["trips", "positions", "tracks"], advice.Layout.Select(store => Assert.Single(store.Data)));
        Assert.All(advice.Layout.Skip(1), store => Assert.Contains("125,000 writes/s are 6.3 times the 20,000/s that one primary takes", store.EarnedBy, StringComparison.Ordinal));
        Assert.Equal("transactions of trips", advice.Layout[0].EarnedBy);
        Assert.Equal([StoreKind.Cache, StoreKind.KeyValue], Possible(advice, "positions").Take(2));
        Assert.Equal([StoreKind.TimeSeries, StoreKind.WideColumn], Possible(advice, "tracks").Take(2));
        Assert.Equal("no", Of(advice, "tracks", StoreKind.Relational).Fit);
        // 125,000 / (0.7 * 20,000) = 8.9; / (0.7 * 100,000) = 1.8
        Assert.Contains("9 for each copy", string.Join(' ', Of(advice, "tracks", StoreKind.WideColumn).Reasons), StringComparison.Ordinal);
        Assert.Contains("2 for each copy", string.Join(' ', Of(advice, "positions", StoreKind.Cache).Reasons), StringComparison.Ordinal);
    }

    [Fact]
    public void Short_links_are_a_key_value_store_or_a_table_that_is_there_already()
    {
        var advice = OfCase("urls");
        Assert.True(advice.OneIsEnough);
        Assert.Equal([StoreKind.KeyValue, StoreKind.Relational], Possible(advice, "links").Take(2));
        Assert.Equal("system of record", Assert.Single(advice.Layout).Role);
        Assert.StartsWith("One store is enough: a key-value store", advice.Verdict[0], StringComparison.Ordinal);
        Assert.Contains("a table in it does as well", string.Join(' ', advice.Verdict), StringComparison.Ordinal);
        Assert.StartsWith("No cache: 4,000 reads/s are 4.0 %", advice.Verdict[^1], StringComparison.Ordinal);
        Assert.Equal("no", Of(advice, "links", StoreKind.Cache).Fit);
    }

    [Fact]
    public void Every_case_ranks_all_ten_kinds_with_reasons_and_consequences()
    {
        foreach (var name in AdviceCases.All.Keys)
        {
            var advice = OfCase(name);
            foreach (var data in advice.Data)
            {
                Assert.Equal(Enum.GetValues<StoreKind>(), data.Ranking.Select(store => store.Kind).Order());
                var ranks = data.Ranking.Select(store => store.Rank).OfType<int>().ToArray();
                Assert.Equal(Enumerable.Range(1, ranks.Length), ranks);
                Assert.All(data.Ranking, store =>
                {
                    Assert.NotEmpty(store.Reasons);
                    Assert.All([.. store.Reasons, store.Examples, store.TradeOff, store.Partition, store.Rpo, store.Rto, store.Role], text => Assert.False(string.IsNullOrWhiteSpace(text)));
                });
            }

            // Each set of data has one place.
            Assert.Equal(advice.Data.Select(data => data.Name).Order(), advice.Layout.SelectMany(store => store.Data).Order());
        }
    }

    [Fact]
    public void The_headline_names_the_one_store_that_the_layout_lists()
    {
        foreach (var name in AdviceCases.All.Keys)
        {
            var advice = OfCase(name);
            if (!advice.OneIsEnough) continue;
            var kind = Assert.Single(advice.Layout).Kind;
            Assert.Contains(kind == StoreKind.Relational ? "relational database" : "key-value store", advice.Verdict[0], StringComparison.Ordinal);
            Assert.Equal(kind == StoreKind.Relational, advice.Verdict[0].Contains("relational", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_cache_or_an_index_is_never_a_system_of_record()
    {
        foreach (var queries in (QueryPattern[][])[[QueryPattern.Lookup], [QueryPattern.Lookup, QueryPattern.Nearby], [QueryPattern.Document]])
        {
            var advice = Adviser.Advise(One(new() { Name = "x", Queries = queries, Role = DataRole.Record, Writes = Rate.OfSecond(1_000_000) }), UnitSystem.Binary);
            Assert.All([StoreKind.Cache, StoreKind.Search], kind => Assert.Null(Of(advice, "x", kind).Rank));
        }
    }

    [Fact]
    public void Search_alone_is_a_search_engine_beside_its_source()
    {
        var advice = Adviser.Advise(One(new() { Name = "texts", Queries = [QueryPattern.Search], Role = DataRole.Derived, Reads = Rate.OfSecond(20_000), Bytes = 1L << 40 }), UnitSystem.Binary);
        Assert.Equal(StoreKind.Search, advice.Layout[0].Kind);
        Assert.StartsWith("derived store", advice.Layout[0].Role, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(QueryPattern.Blob, StoreKind.Object)]
    [InlineData(QueryPattern.Traverse, StoreKind.Graph)]
    [InlineData(QueryPattern.Document, StoreKind.Document)]
    [InlineData(QueryPattern.Join, StoreKind.Relational)]
    [InlineData(QueryPattern.Aggregate, StoreKind.Columnar)]
    [InlineData(QueryPattern.Window, StoreKind.TimeSeries)]
    public void What_a_kind_is_made_for_goes_there_if_nothing_else_is_asked(QueryPattern query, StoreKind kind) =>
        Assert.Equal(kind, Adviser.Advise(One(new() { Name = "x", Queries = [query] }), UnitSystem.Binary).Data[0].Ranking[0].Kind);

    [Fact]
    public void Two_small_needs_share_one_database_whatever_each_would_like_best()
    {
        var advice = Adviser.Advise(
            new()
            {
                Data =
                [
                    new() { Name = "a", Queries = [QueryPattern.Document], Writes = Rate.OfSecond(10) },
                    new() { Name = "b", Queries = [QueryPattern.Lookup, QueryPattern.Expire], Writes = Rate.OfSecond(10) },
                    new() { Name = "c", Queries = [QueryPattern.Aggregate], Bytes = 1L << 30 },
                ],
            },
            UnitSystem.Binary);
        Assert.Equal(StoreKind.Relational, Assert.Single(advice.Layout).Kind);
        Assert.True(advice.OneIsEnough);
    }

    [Fact]
    public void What_together_is_too_much_for_one_database_goes_elsewhere()
    {
        var need = new DataNeed { Name = "a", Queries = [QueryPattern.Lookup], Writes = Rate.OfSecond(10_000) };
        var advice = Adviser.Advise(new() { Data = [need, need with { Name = "b" }] }, UnitSystem.Binary);
        Assert.False(advice.OneIsEnough);
        Assert.Equal([StoreKind.Relational, StoreKind.KeyValue], advice.Layout.Select(store => store.Kind));
        Assert.Contains("with what is there already", advice.Layout[1].EarnedBy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_team_is_not_sent_to_a_store_that_wants_a_large_one()
    {
        var need = new DataNeed { Name = "x", Queries = [QueryPattern.Range, QueryPattern.Window, QueryPattern.Expire], Writes = Rate.OfSecond(200_000) };
        int Points(int team) => Of(Adviser.Advise(new() { Data = [need], Team = team }, UnitSystem.Binary), "x", StoreKind.WideColumn).Points;
        Assert.True(Points(1) < Points(3) && Points(3) < Points(4) && Points(4) == Points(10));
    }

    [Theory, Seeds(count: 30)]
    public void More_writes_or_bytes_never_make_one_database_enough(ulong seed)
    {
        var random = new SeededRandom(seed);
        var patterns = Enum.GetValues<QueryPattern>().Where(_ => random.OneIn(4)).ToArray();
        if (patterns.Length == 0) patterns = [QueryPattern.Lookup];
        var need = new DataNeed
        {
            Name = "x",
            Queries = patterns,
            Consistency = patterns.Contains(QueryPattern.Transaction) ? Consistency.Transactions : Consistency.Eventual,
            Writes = Rate.OfSecond(random.Next(1, 40_000)),
            Reads = Rate.OfSecond(random.Next(1, 400_000)),
            Bytes = random.NextInt64(20L << 40),
        };
        bool? Enough(DataNeed data)
        {
            try
            {
                return Adviser.Advise(One(data), UnitSystem.Binary).OneIsEnough;
            }
            catch (PlanException)
            {
                return null; // No kind serves that.
            }
        }

        if (Enough(need) is not false) return;
        Assert.NotEqual(true, Enough(need with { Writes = Rate.OfSecond(need.Writes.Value.Count * 2) }));
        Assert.NotEqual(true, Enough(need with { Bytes = need.Bytes * 2 }));
        Assert.NotEqual(true, Enough(need with { Reads = Rate.OfSecond(need.Reads.Value.Count * 2) }));
    }

    [Fact]
    public void What_no_store_serves_is_said()
    {
        var error = Assert.Throws<PlanException>(() => Adviser.Advise(
            One(new() { Name = "x", Queries = [QueryPattern.Transaction, QueryPattern.Traverse], Consistency = Consistency.Transactions, Writes = Rate.OfSecond(1_000_000) }),
            UnitSystem.Binary));
        Assert.Equal("queries", error.Input);
        Assert.Contains("several sets of data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contradictions_and_nonsense_are_named()
    {
        var sound = new DataNeed { Name = "x", Queries = [QueryPattern.Lookup] };
        (string, AdviceNeeds)[] bad =
        [
            ("needs", new() { Data = [] }),
            ("team", One(sound) with { Team = 0 }),
            ("node-reads", One(sound) with { OneNode = new() { Reads = default } }),
            ("node-writes", One(sound) with { OneNode = new() { Writes = default } }),
            ("node-size", One(sound) with { OneNode = new() { Bytes = 0 } }),
            ("queries", One(sound with { Queries = [] })),
            ("reads", One(sound with { Reads = Rate.OfSecond(-1) })),
            ("writes", One(sound with { Writes = Rate.OfSecond(0) })),
            ("size", One(sound with { Bytes = -1 })),
            ("consistency", One(sound with { Queries = [QueryPattern.Transaction] })),
        ];
        foreach (var (input, needs) in bad)
            Assert.Equal(input, Assert.Throws<PlanException>(() => Adviser.Advise(needs, UnitSystem.Binary)).Input);
    }

    [Theory]
    [InlineData("[a]", "[a] has no queries")]
    [InlineData("", "it has no sets of data")]
    [InlineData("queries = lookup", "line 1: 'queries' comes before the first [NAME]")]
    [InlineData("[a]\nqueries = lokup", "line 2: 'lokup' is not a query pattern: expected lookup,")]
    [InlineData("[a]\nqueries = lookup, lookup", "a pattern is given twice")]
    [InlineData("[a]\nqueries =", "expected query patterns")]
    [InlineData("[a]\ncolour = blue", "'colour' is not known")]
    [InlineData("[a]\nqueries = lookup\nqueries = range", "line 3: 'queries' is there already")]
    [InlineData("[a]\nsize = -1", "negative")]
    [InlineData("[a]\nqueries = lookup\nsize = 1TiB\n[b]\nqueries = lookup\nsize = 1TB", "are not mixed")]
    [InlineData("[a]\n[a]", "there already")]
    [InlineData("[ ]", "has no name")]
    [InlineData("team = 0\n[a]", "line 1: '0' is not a number to plan with")]
    [InlineData("[a]\nteam = 2", "'team' is not known")]
    [InlineData("hello", "neither [NAME] nor KEY = VALUE")]
    public void A_bad_file_of_needs_names_line_and_reason(string text, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => NeedsFile.Parse(text, out _)).Message, StringComparison.Ordinal);

    static Advice OfCase(string name) => Adviser.Advise(NeedsFile.Parse(AdviceCases.All[name], out _), UnitSystem.Binary);

    static AdviceNeeds One(DataNeed need) => new() { Data = [need] };

    static IEnumerable<StoreKind> Possible(Advice advice, string data) =>
        advice.Data.Single(need => need.Name == data).Ranking.Where(store => store.Rank is not null).Select(store => store.Kind);

    static RankedStore Of(Advice advice, string data, StoreKind kind) =>
        advice.Data.Single(need => need.Name == data).Ranking.Single(store => store.Kind == kind);
}
