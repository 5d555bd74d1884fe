using System.Globalization;

namespace Ashlar.Planning;

/// <summary>What follows from a simulation.</summary>
static class SkewRemarks
{
    public static IReadOnlyList<string> Of(SkewScenario scenario, string verdict, double maxToMean, double hottestShare)
    {
        var remarks = new List<string>();
        if (verdict != "even") remarks.Add(Capacity(scenario, maxToMean));
        if (hottestShare * scenario.Partitions > 0.5 && scenario.Rule != PlacementRule.Salted)
        {
            remarks.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"One key takes {hottestShare * 100:0.#} % of the operations, {hottestShare * scenario.Partitions:0.#} times the fair "
                    + $"share of a partition: no rule that keeps a key in one place can spread that. "
                    + $"Salt it (--rule salted) or cache it."));
        }

        if (scenario is { Distribution: KeyDistribution.Time, Rule: PlacementRule.Range })
            remarks.Add(
                "New keys sort after all others, so the last range takes every write, and a split only moves the hot spot. Put a hash or "
                    + "an owner before the time in the key.");
        if (scenario is { Rule: PlacementRule.Ring, VirtualNodes: < 100 })
            remarks.Add("Few virtual nodes leave arcs of very different length; the spread shrinks with the root of their number.");
        remarks.Add(scenario.Rule switch
        {
            PlacementRule.Hash =>
                "The rule of Ashlar's sharded key-value store (ashlar kv create --shards), where the number of shards is fixed for ever.",
            PlacementRule.Modulo =>
                "Modulo moves nearly everything when the number of partitions changes: take ring or rendezvous if it ever will.",
            PlacementRule.Range => "Ranges are scanned in order, and a node that joins takes half of the busiest range.",
            PlacementRule.Ring => "What moves, moves to the new node only. A scan of a range has to ask every node.",
            PlacementRule.Rendezvous => "What moves, moves to the new node only; finding a key's place costs a hash for each node.",
            _ => $"Reading a salted key looks into {scenario.Salts ?? scenario.Partitions} partitions for the newest copy. With all "
                + "partitions it is what --salted-prefix of ashlar kv create does.",
        });
        return remarks;
    }

    static string Capacity(SkewScenario scenario, double maxToMean) => string.Create(
        CultureInfo.InvariantCulture,
        $"The busiest partition is full when the cluster does {100 / maxToMean:0} % of what its {scenario.Partitions} partitions could "
            + $"do together.");
}
