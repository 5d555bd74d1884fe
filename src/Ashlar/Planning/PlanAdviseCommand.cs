using System.CommandLine;
using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan advise</c>.</summary>
static class PlanAdviseCommand
{
    public static Verb Create(Terminal terminal)
    {
        var options = new PlanOptions(terminal);
        var queries = options.Add(
            "--queries",
            "LIST",
            "lookup,range,transaction,join,document,aggregate,window,search,traverse,nearby,blob,expire",
            NeedsFile.ParseQueries);
        var consistency = options.Choice<Consistency>(
            "--consistency", "KIND", "eventual, session, strong or transactions [default: strong]", "a consistency");
        var role = options.Choice<DataRole>(
            "--role", "ROLE", "record (nothing else has it), derived (made again) or ephemeral (may be lost) [default: record]", "a role");
        var reads = options.Rate("--reads", "Reads at peak");
        var writes = options.Rate("--writes", "Writes at peak");
        var size = options.Size("--size", "Bytes of one copy at the end of the retention");
        var team = options.Count("--team", "People who can run databases [default: 3]", 1, 100_000);
        var needsFile = options.File("--needs", "Several sets of data, from a file: see docs/planning.md");
        var known = options.Add("--case", "NAME", $"A known case: {string.Join(", ", AdviceCases.All.Keys)}", ParseCase);
        var nodeReads = options.Rate("--node-reads", "Reads that one well-tuned database serves [default: 100k/s]");
        var nodeWrites = options.Rate("--node-writes", "Writes that it takes [default: 20k/s]");
        var nodeSize = options.Size("--node-size", "What it is run with [default: 10TiB]");
        var top = options.Count("--top", "Stores of each ranking to tell about at length, and why not the others [default: 0]", 1, 10);
        Option[] ofOne = [queries, consistency, role, reads, writes, size];
        return options.Verb(
            "advise",
            "Advise which kind of store to run, and why; one, unless a measured need earns another",
            [
                "ashlar plan advise --case rides",
                "ashlar plan advise --queries lookup,expire --consistency session --role ephemeral --writes 10k/s --size 20GiB",
                "ashlar plan advise --queries transaction,join --consistency transactions --writes 500/s --size 2TiB --team 2",
                "ashlar plan advise --needs shop.needs -o json",
            ],
            invocation =>
            {
                var isFile = invocation.IsGiven(needsFile);
                var isCase = invocation.IsGiven(known);
                if (isFile && isCase) throw Usage.Error("--case: --needs says it already", "give one of them");
                if ((isFile || isCase) && Array.Find(ofOne, invocation.IsGiven) is { } extra)
                    throw Usage.Error(
                        $"{extra.Name}: {(isFile ? needsFile : (Option)known).Name} says it already", "ashlar plan advise --help");
                if (!isFile && !isCase && !invocation.IsGiven(queries))
                    throw Usage.Error("--queries is missing", "give --queries, --needs or --case");

                UnitSystem? system = null;
                var needs = isFile ? PlanOptions.ReadFile(invocation, needsFile, text => NeedsFile.Parse(text, out system))
                    : isCase ? NeedsFile.Parse(AdviceCases.All[invocation.Get(known)!], out system)
                    : new AdviceNeeds
                    {
                        Data =
                        [
                            new()
                            {
                                Name = "data",
                                Queries = invocation.Get(queries)!,
                                Consistency = invocation.Get(consistency) ?? Consistency.Strong,
                                Role = invocation.Get(role) ?? DataRole.Record,
                                Reads = invocation.Get(reads),
                                Writes = invocation.Get(writes),
                                Bytes = invocation.Get(size)?.Bytes ?? 0,
                            },
                        ],
                    };
                // A known case is no one's choice of units.
                var units = options.Units(invocation, isFile ? (needsFile.Name, system) : null);
                needs = needs with
                {
                    Team = (int)(invocation.Get(team) ?? needs.Team),
                    OneNode = new()
                    {
                        Reads = invocation.Get(nodeReads) ?? needs.OneNode.Reads,
                        Writes = invocation.Get(nodeWrites) ?? needs.OneNode.Writes,
                        Bytes = invocation.Get(nodeSize)?.Bytes ?? needs.OneNode.Bytes,
                    },
                };
                var advice = Adviser.Advise(needs, units);
                return PlanAnswer.Write(
                    invocation,
                    "StoreAdvice",
                    units,
                    advice,
                    PlanJson.Strict.Advice,
                    (writer, style) => PlanAdviceScreen.Write(writer, style, advice, units, (int?)invocation.Get(top)),
                    advice.Layout.Select(store => NeedsFile.NameOf(store.Kind)));
            },
            (invocation, input) =>
                invocation.IsGiven(needsFile) && input is not ("team" or "node-reads" or "node-writes" or "node-size")
                    ? $"--needs: {input}"
                    : $"--{input}");
    }

    static string ParseCase(string text) => AdviceCases.All.ContainsKey(text)
        ? text
        : throw new FormatException($"'{text}' is not a case: expected {string.Join(", ", AdviceCases.All.Keys)}");
}
