using System.Globalization;
using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan skew</c>.</summary>
static class PlanSkewCommand
{
    const int BarWidth = 40;
    const int MostRows = 64;

    public static Verb Create(Terminal terminal)
    {
        var options = new PlanOptions(terminal);
        var rule = options.Choice<PlacementRule>(
            "--rule", "RULE", "hash, modulo, range, ring, rendezvous or salted [default: hash]", "a rule");
        var distribution = options.Choice<KeyDistribution>(
            "--distribution", "KIND", "uniform, zipf, time or celebrity [default: uniform]", "a distribution");
        var partitions = options.Count("--partitions", "Partitions, or nodes [default: 16]", 1, SkewScenario.MostPartitions);
        var keys = options.Count("--keys", "Different keys that are stored [default: 100k]", 1, SkewScenario.MostKeys);
        var operations = options.Count("--operations", "Operations that are counted [default: 1M]", 1, SkewScenario.MostOperations);
        var seed = options.Count("--seed", "Equal seeds give equal answers [default: 1]", 0);
        var zipf = options.Number("--zipf", "Exponent of zipf: the k-th key gets 1/k^NUMBER [default: 0.99]", 0.01m, 5);
        var celebrity = options.Percent("--celebrity", "What the celebrity's key takes [default: 20%]", mayBeZero: false);
        var virtualNodes = options.Count("--virtual-nodes", "Points of each node on the ring [default: 128]", 1, 10_000);
        var hotKeys = options.Count("--hot-keys", "How many of the hottest keys are salted [default: 1]", 1, SkewScenario.MostKeys);
        var salts = options.Count("--salts", "Partitions that a salted key goes round [default: all]", 1, SkewScenario.MostPartitions);
        return options.Verb(
            "skew",
            "Simulate a partitioning rule: load of each partition, hot spots, data moved when a node joins",
            [
                "ashlar plan skew --rule hash --distribution zipf",
                "ashlar plan skew --rule ring --virtual-nodes 16 --partitions 8",
                "ashlar plan skew --rule range --distribution time",
                "ashlar plan skew --rule salted --distribution celebrity --celebrity 30%",
            ],
            invocation =>
            {
                var defaults = new SkewScenario();
                var scenario = new SkewScenario
                {
                    Rule = invocation.Get(rule) ?? defaults.Rule,
                    Distribution = invocation.Get(distribution) ?? defaults.Distribution,
                    Partitions = (int)(invocation.Get(partitions) ?? defaults.Partitions),
                    Keys = (int)(invocation.Get(keys) ?? defaults.Keys),
                    Operations = (int)(invocation.Get(operations) ?? defaults.Operations),
                    Seed = (ulong)(invocation.Get(seed) ?? (long)defaults.Seed),
                    ZipfExponent = (double)(invocation.Get(zipf) ?? (decimal)defaults.ZipfExponent),
                    CelebrityShare = invocation.Get(celebrity) ?? defaults.CelebrityShare,
                    VirtualNodes = (int)(invocation.Get(virtualNodes) ?? defaults.VirtualNodes),
                    HotKeys = (int)(invocation.Get(hotKeys) ?? defaults.HotKeys),
                    Salts = (int?)invocation.Get(salts),
                };
                Require(invocation.IsGiven(zipf), scenario.Distribution == KeyDistribution.Zipf, "--zipf", "--distribution zipf");
                Require(
                    invocation.IsGiven(celebrity),
                    scenario.Distribution == KeyDistribution.Celebrity,
                    "--celebrity",
                    "--distribution celebrity");
                Require(invocation.IsGiven(virtualNodes), scenario.Rule == PlacementRule.Ring, "--virtual-nodes", "--rule ring");
                Require(invocation.IsGiven(hotKeys), scenario.Rule == PlacementRule.Salted, "--hot-keys", "--rule salted");
                Require(invocation.IsGiven(salts), scenario.Rule == PlacementRule.Salted, "--salts", "--rule salted");
                var report = SkewSimulation.Run(scenario);
                return PlanAnswer.Write(
                    invocation, "SkewReport", null, report, PlanJson.Strict.SkewReport, (_, _) =>
                        WriteScreen(invocation.Terminal, scenario, report));
            });
    }

    static void Require(bool isGiven, bool isUsed, string option, string with)
    {
        if (isGiven && !isUsed) throw Usage.Error($"{option}: it goes with {with}");
    }

    static void WriteScreen(Terminal terminal, SkewScenario scenario, SkewReport report)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        var mean = scenario.Operations / (double)scenario.Partitions;
        var most = report.Partitions.Max(partition => partition.Operations);
        var table = new Table(
            Column.Number("PARTITION"), Column.Number("KEYS", 2), Column.Number("OPERATIONS"), Column.Number("SHARE", 1),
            Column.Number("OF MEAN"), new("LOAD", Rank: 3));
        IEnumerable<PartitionLoad> shown = report.Partitions.Count <= MostRows
            ? report.Partitions
            : report.Partitions.OrderByDescending(partition => partition.Operations).Take(MostRows);
        foreach (var partition in shown)
        {
            table.Row(
                Text($"{partition.Partition}"),
                Text($"{partition.Keys:N0}"),
                Text($"{partition.Operations:N0}"),
                Percent(partition.Operations / (double)scenario.Operations),
                Text($"{partition.Operations / mean:N2}"),
                new string('#', (int)Math.Round(BarWidth * (double)partition.Operations / most)));
        }

        table.WriteTo(writer, style, terminal.Width);
        if (report.Partitions.Count > MostRows) writer.WriteLine($"... and {report.Partitions.Count - MostRows} with less load");
        writer.WriteLine();
        new FactSheet()
            .Add("Verdict", report.Verdict)
            .Add("Max / mean", Text($"{report.MaxToMean:N2}"))
            .Add("Variation", Text($"{Percent(report.Variation)} (standard deviation of the load, of its mean)"))
            .Add("Hottest key", Text($"{Percent(report.HottestKeyShare)} of all operations"))
            .Add("A node joins", Text($"{Percent(report.MovedShare)} of the keys move; its fair part is {Percent(report.IdealMovedShare)}"))
            .Add("Seed", Text($"{report.Seed}"))
            .WriteTo(writer, style, terminal.Width);
        writer.WriteLine();
        foreach (var remark in report.Remarks) PlanAnswer.WriteText(writer, remark, "- ", "  ");
    }

    static string Percent(double share) => share is > 0 and < 0.01 ? Text($"{share * 100:0.0###} %") : Text($"{share * 100:0.0} %");

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
