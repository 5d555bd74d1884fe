namespace Ashlar.Planning;

/// <summary>Plays a partitioning rule against a distribution of keys.</summary>
public static class SkewSimulation
{
    /// <summary>Simulates; equal scenarios give equal reports.</summary>
    /// <exception cref="PlanException">A number is out of range.</exception>
    public static SkewReport Run(SkewScenario scenario)
    {
        scenario.Validate();
        var placement = Create(scenario, scenario.Partitions);
        var places = new int[scenario.Keys];
        for (var key = 0; key < places.Length; key++) places[key] = placement.Place(key);

        var source = new KeySource(scenario);
        var hottest = scenario.Rule == PlacementRule.Salted ? source.Hottest(scenario.HotKeys) : [];
        var salts = scenario.Salts ?? scenario.Partitions;
        var (operations, perKey) = (new long[scenario.Partitions], new long[scenario.Keys]);
        for (var i = 0; i < scenario.Operations; i++)
        {
            var key = source.Draw();
            if (key >= places.Length)
            {
                operations[placement.Place(key)]++;
                continue;
            }

            // Writes of a salted key take the partitions in turn, from the key's own on.
            var turn = hottest.Count > 0 && hottest.Contains(key) ? (int)(perKey[key] % salts) : 0;
            operations[(places[key] + turn) % scenario.Partitions]++;
            perKey[key]++;
        }

        var hottestShare = Math.Max(perKey.Max(), scenario.Distribution == KeyDistribution.Time ? 1 : 0) / (double)scenario.Operations;
        return Report(scenario, places, operations, hottestShare, MovedShare(scenario, placement, places, operations));
    }

    static IPlacement Create(SkewScenario scenario, int partitions) => scenario.Rule switch
    {
        PlacementRule.Modulo => new HashPlacement(partitions, isModulo: true),
        PlacementRule.Range => RangePlacement.Equal(partitions, scenario.Keys),
        PlacementRule.Ring => new RingPlacement(partitions, scenario.VirtualNodes),
        PlacementRule.Rendezvous => new RendezvousPlacement(partitions),
        _ => new HashPlacement(partitions, isModulo: false),
    };

    static double MovedShare(SkewScenario scenario, IPlacement placement, int[] places, long[] operations)
    {
        var after = placement is RangePlacement ranges
            ? ranges.Split(Array.IndexOf(operations, operations.Max()), scenario.Keys)
            : Create(scenario, scenario.Partitions + 1);
        var moved = 0;
        for (var key = 0; key < places.Length; key++) moved += after.Place(key) == places[key] ? 0 : 1;
        return moved / (double)places.Length;
    }

    static SkewReport Report(SkewScenario scenario, int[] places, long[] operations, double hottestShare, double movedShare)
    {
        var keys = new long[scenario.Partitions];
        foreach (var place in places) keys[place]++;
        var mean = scenario.Operations / (double)scenario.Partitions;
        var maxToMean = operations.Max() / mean;
        var verdict = maxToMean <= 1.25 ? "even" : maxToMean <= 2 ? "uneven" : "hot spot";
        return new()
        {
            Seed = scenario.Seed,
            Partitions = [.. operations.Select((count, partition) => new PartitionLoad(partition, keys[partition], count))],
            MaxToMean = Math.Round(maxToMean, 4),
            Variation = Math.Round(Math.Sqrt(operations.Sum(count => (count - mean) * (count - mean)) / operations.Length) / mean, 4),
            HottestKeyShare = Math.Round(hottestShare, 6),
            MovedShare = Math.Round(movedShare, 6),
            IdealMovedShare = Math.Round(1.0 / (scenario.Partitions + 1), 6),
            Verdict = verdict,
            Remarks = SkewRemarks.Of(scenario, verdict, maxToMean, hottestShare),
        };
    }
}
