namespace Ashlar.Simulation;

/// <summary>
/// The crash states worth testing at one point of a trace. Up to a limit of pending changes every subset; above it the
/// families that real bugs live in, and random subsets. Equal arguments give equal states in equal order.
/// </summary>
sealed class CrashStateEnumerator(CrashPoint point, CrashExplorerOptions options, ulong seed)
{
    const int Sector = 512, LargeSector = 4096;

    readonly int count = point.Pending.Count;
    readonly SeededRandom random = new(seed);

    public IEnumerable<Survivors> Enumerate()
    {
        // The two that are always tested come first.
        yield return Keep(_ => false);
        if (count == 0) yield break;
        yield return Keep(_ => true);

        foreach (var survivors in count <= options.ExhaustiveLimit ? EverySubset() : Families()) yield return survivors;
        foreach (var survivors in TornLastWrite()) yield return survivors;
        for (var i = 0; i < options.RandomSubsets; i++) yield return RandomSubset();
        if (!options.ShowsOldContent || LastData() is var last && !point.HasGrown(last)) yield break;
        foreach (var survivors in OldContent(last)) yield return survivors;
    }

    IEnumerable<Survivors> EverySubset()
    {
        for (var mask = 1; mask < (1 << count) - 1; mask++)
        {
            var kept = mask;
            yield return Keep(i => (kept >> i & 1) != 0);
        }
    }

    IEnumerable<Survivors> Families()
    {
        foreach (var i in Positions(0, count)) yield return Keep(other => other != i);
        foreach (var i in Positions(0, count)) yield return Keep(other => other == i);
        foreach (var i in Positions(1, count)) yield return Keep(other => other < i);
        foreach (var i in Positions(1, count)) yield return Keep(other => other >= i);

        yield return Keep(i => point.Pending[i] is PendingNames);
        yield return Keep(i => point.Pending[i] is not PendingNames);
        yield return Keep(i => point.Pending[i] is not PendingData);
        yield return Keep(i => point.Pending[i] is not PendingLength);
    }

    /// <summary>Everything survives but the last write, which gets only so far; or which lacks only its beginning.</summary>
    IEnumerable<Survivors> TornLastWrite()
    {
        var last = LastData();
        if (last < 0) yield break;
        var data = (PendingData)point.Pending[last];
        foreach (var sectorBytes in (int[])[Sector, LargeSector])
        {
            var sectors = data.CountSectors(sectorBytes);
            foreach (var end in Positions(1, sectors))
            {
                yield return Torn(last, sectorBytes, Tear.Range(0, end));
                yield return Torn(last, sectorBytes, Tear.Range(end, sectors));

                // The length may have got as far as the data.
                if (point.HasGrown(last))
                {
                    var length = (PendingLength)point.Pending[last - 1];
                    var reached = Math.Min(length.Length, (data.Start / sectorBytes + end) * sectorBytes);
                    yield return Torn(last, sectorBytes, Tear.Range(0, end)) with { LengthsReached = new() { [last - 1] = reached } };
                }
            }
        }
    }

    /// <summary>
    /// What the last write appended, or all that is pending, lacks some of its data; what was there before shows instead.
    /// </summary>
    IEnumerable<Survivors> OldContent(int last)
    {
        yield return WithOldContent(Keep(i => i != last));
        yield return WithOldContent(Keep(i => point.Pending[i] is not PendingData));
        var sectors = ((PendingData)point.Pending[last]).CountSectors(Sector);
        foreach (var end in Positions(1, sectors))
        {
            yield return WithOldContent(Torn(last, Sector, Tear.Range(0, end)));
            yield return WithOldContent(Torn(last, Sector, Tear.Range(end, sectors)));
        }

        yield return WithOldContent(RandomSubset());
    }

    Survivors WithOldContent(Survivors survivors) => survivors with { OldContentSeed = random.NextUInt64() };

    public Survivors RandomSubset()
    {
        var sectorBytes = random.OneIn(4) ? LargeSector : Sector;
        var survival = random.Pick([0.1, 0.5, 0.9]);
        var survivors = Keep(_ => random.NextDouble() < survival, sectorBytes);
        for (var i = 0; i < count; i++)
        {
            if (!survivors.IsKept[i] || point.Pending[i] is not PendingData data || !random.OneIn(4)) continue;
            var sectors = data.CountSectors(sectorBytes);
            if (sectors > 1)
                survivors.Tears[i] = random.OneIn(2) ? Tear.Range(0, random.Next(1, sectors)) : Tear.Scatter(random.NextUInt64());
        }

        return survivors;
    }

    Survivors Torn(int index, int sectorBytes, Tear tear) =>
        Keep(_ => true, sectorBytes) with { Tears = new() { [index] = tear } };

    Survivors Keep(Func<int, bool> isKept, int sectorBytes = Sector)
    {
        var kept = new bool[count];
        for (var i = 0; i < count; i++) kept[i] = isKept(i);
        return new Survivors(sectorBytes, kept);
    }

    int LastData()
    {
        var last = count - 1;
        while (last >= 0 && point.Pending[last] is not PendingData) last--;
        return last;
    }

    /// <summary>All numbers of a range, or a sample of a very long one.</summary>
    IEnumerable<int> Positions(int from, int end)
    {
        if (end - from <= options.LongestFamily) return Enumerable.Range(from, Math.Max(0, end - from));
        return Enumerable.Range(0, options.LongestFamily).Select(_ => random.Next(from, end)).Distinct();
    }
}
