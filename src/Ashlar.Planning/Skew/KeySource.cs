namespace Ashlar.Planning;

/// <summary>Draws keys by a distribution. Stored keys are 0 to <c>keys - 1</c>; which of them are popular is chance.</summary>
sealed class KeySource
{
    readonly SkewScenario scenario;
    readonly PlanRandom random;
    readonly int[] byPopularity;
    readonly double[]? upTo;
    long next;

    public KeySource(SkewScenario scenario)
    {
        this.scenario = scenario;
        random = new PlanRandom(scenario.Seed);
        byPopularity = random.Shuffle(scenario.Keys);
        next = scenario.Keys;
        if (scenario.Distribution != KeyDistribution.Zipf) return;
        upTo = new double[scenario.Keys];
        double sum = 0;
        for (var rank = 0; rank < upTo.Length; rank++) upTo[rank] = sum += Math.Pow(rank + 1, -scenario.ZipfExponent);
        for (var rank = 0; rank < upTo.Length; rank++) upTo[rank] /= sum;
    }

    /// <summary>The keys that somebody who knows the distribution would salt.</summary>
    public HashSet<long> Hottest(int count) =>
        scenario.Distribution is KeyDistribution.Time ? [] : [.. byPopularity.Take(count).Select(key => (long)key)];

    public long Draw() => scenario.Distribution switch
    {
        KeyDistribution.Zipf => byPopularity[Rank(random.NextDouble())],
        KeyDistribution.Time => next++,
        KeyDistribution.Celebrity when random.NextDouble() < (double)scenario.CelebrityShare => byPopularity[0],
        _ => random.Below(scenario.Keys),
    };

    int Rank(double at)
    {
        var rank = Array.BinarySearch(upTo!, at);
        return Math.Min(rank >= 0 ? rank + 1 : ~rank, upTo!.Length - 1);
    }
}
