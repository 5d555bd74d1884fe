using System.Globalization;

namespace Ashlar.Planning;

// A file with r copies is lost when all r drives fail before any is rebuilt. Drives fail independently at rate f (a year)
// and are rebuilt in time T. With k copies gone, the next goes at rate (r - k) f, while each of the k is rebuilt at
// rate 1 / T. For f T << 1 the rate of loss is
//   r f * prod(k = 1 .. r - 1) (r - k) f / (k / T)  =  r f (f T)^(r - 1)
// since the products of (r - k) and of k are equal: (r - 1)!.
/// <summary>Estimates how likely a file is lost.</summary>
static class DurabilityReckoning
{
    public static DurabilityEstimate Of(ClusterNeeds needs, DriveFailures drives, long? files, List<ClusterRow> rows)
    {
        var copies = needs.Replicas;
        // A share of failed drives in a year, as the rate of a process without memory.
        var failures = -Math.Log(1 - Math.Min((double)needs.AnnualFailureShare, 0.999999));
        var rebuildYears = drives.RebuildSeconds / Rate.YearSeconds;
        var rate = copies * failures * Math.Pow(failures * rebuildYears, copies - 1);
        var loss = copies == 1 ? (double)needs.AnnualFailureShare : -double.ExpM1(-rate);
        var nines = Math.Min(30, Math.Max(0, -Math.Log10(loss)));
        var lost = files * loss;
        rows.Add(new(
            "durability",
            "Durability of a file",
            copies == 1 ? "one copy: lost with its drive" : $"{copies} copies, all lost within rebuilds: {copies} f (f T)^{copies - 1}",
            string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(nines):0} nines")));
        rows.Add(new("lossPerYear", "Loss of a given file", "probability in a year, if what is said below holds", Scientific(loss)));
        if (lost is { } count) rows.Add(new("lostPerYear", "Files lost", $"of {ClusterSizer.Number(files!.Value)} in a year, to be expected", Few(count)));
        return new(loss, nines, lost, Assumptions(needs, drives));
    }

    static string[] Assumptions(ClusterNeeds needs, DriveFailures drives) =>
    [
        $"Drives fail independently: {Share.Format(needs.AnnualFailureShare)} of them a year. Real failures come in bursts (a rack, a firmware, an operator), so real durability is lower.",
        $"Copies are on different nodes, placed at random; a lost drive is noticed at once and rebuilt in {Period.Format(drives.RebuildSeconds)}, by peers that have the bandwidth to spare.",
        "Nothing else loses data: no deletion by mistake, no bug, no damage that nobody looks for. Against those help backups, checksums and scrubbing, not copies.",
    ];

    static string Scientific(double value) =>
        value >= 0.001 ? string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.##} %") : string.Create(CultureInfo.InvariantCulture, $"{value:0.0e-0}");

    static string Few(double value) =>
        value >= 10 ? string.Create(CultureInfo.InvariantCulture, $"{value:N0}")
        : value >= 0.01 ? string.Create(CultureInfo.InvariantCulture, $"{value:0.##}")
        : string.Create(CultureInfo.InvariantCulture, $"{value:0.0e-0}");
}
