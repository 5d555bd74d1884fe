namespace Ashlar.Planning;

/// <summary>Everything that is asked for, as it is after some years.</summary>
static class Growth
{
    public static ClusterNeeds Apply(ClusterNeeds needs, List<ClusterRow> rows)
    {
        if (needs.GrowthYears == 0) return needs;
        var factor = 1m;
        for (var year = 0; year < needs.GrowthYears; year++)
        {
            factor *= 1 + needs.GrowthShare;
            Reckoning.Require(factor <= 1_000_000_000, "growth", "in so many years this grows more than a thousand million times");
        }

        rows.Add(new(
            "growth",
            "Growth",
            $"{Share.Format(needs.GrowthShare)} a year for {needs.GrowthYears} year{(needs.GrowthYears == 1 ? "" : "s")}, "
                + "of all that is asked for",
            $"x {Numeral.Format(decimal.Round(factor, 2))}"));
        return needs with
        {
            // With a mean and a number of files their bytes follow.
            Files = Grow(needs.Files),
            DataBytes = Grow(needs.DataBytes),
            Entries = Grow(needs.Entries),
            Keys = Grow(needs.Keys),
            Reads = GrowRate(needs.Reads),
            Writes = GrowRate(needs.Writes),
            KeyOperations = GrowRate(needs.KeyOperations),
        };

        long? Grow(long? count) => count is { } number ? Reckoning.Bytes("growth", number, factor) : null;

        Rate? GrowRate(Rate? rate)
        {
            if (rate is not { } one) return null;
            Reckoning.Require(one.Count <= Numeral.Largest / factor, "growth", "in so many years a rate grows beyond 2^63 - 1");
            return one with { Count = one.Count * factor };
        }
    }
}
