using System.Globalization;

namespace Ashlar.Planning;

// A file of n pieces, of which m may be missing, is lost when m + 1 of their drives fail before any is rebuilt. Drives fail
// independently at rate f (a year) and are rebuilt in time T. With k pieces gone, the next goes at rate (n - k) f, while each of
// the k is rebuilt at rate 1 / T. For f T << 1 the rate of loss is
//   n f * prod(k = 1 .. m) (n - k) f / (k / T)  =  n f (f T)^m C(n - 1, m)
// Copies are the case m = n - 1, where the number of combinations is 1.
/// <summary>Estimates how likely a file is lost.</summary>
static class DurabilityReckoning
{
    // Beyond that other causes than drives that fail independently decide, and more digits would only look exact.
    const int MostNines = 15;

    // Less is not a number of floating point any more.
    const int MostReckonedNines = 300;

    public static DurabilityEstimate Of(ClusterNeeds needs, DriveFailures drives, long? files, List<ClusterRow> rows)
    {
        var (pieces, spare) = (needs.Pieces, needs.SparePieces);
        // A share of failed drives in a year, as the rate of a process without memory.
        var failures = -Math.Log(1 - Math.Min((double)needs.AnnualFailureShare, 0.999999));
        var years = (needs.DetectTime.TotalSeconds + (drives.RebuildSeconds ?? 0)) / Rate.YearSeconds;
        // As logarithms: the powers of many copies are beyond floating point.
        var logRate = Math.Log(pieces * failures) + (spare * Math.Log(failures * years)) + LogCombinations(pieces - 1, spare);
        var loss = spare == 0 ? (double)needs.AnnualFailureShare : WithinAYear(Math.Exp(logRate));
        loss = Math.Max(loss, Math.Pow(10, -MostReckonedNines));
        var nines = Math.Max(0, -Math.Log10(loss));
        var lost = files * loss;
        rows.Add(new("durability", "Durability of a file", How(needs), Nines(nines)));
        rows.Add(new("lossPerYear", "Loss of a given file", "probability in a year, if what is said below holds", Probability(loss)));
        if (lost is { } count)
            rows.Add(new("lostPerYear", "Files lost", $"of {ClusterSizer.Number(files!.Value)} in a year, to be expected", Few(count)));
        return new(loss, nines, lost, Assumptions(needs, drives));
    }

    static string How(ClusterNeeds needs) =>
        needs.SparePieces == 0 ? "one copy: lost with its drive"
        : needs.Erasure is { } code
            ? $"{needs.SparePieces + 1} of {code.Pieces} parts lost within rebuilds: "
                + $"{code.Pieces} f (f T)^{code.Parity} C({code.Pieces - 1}, {code.Parity})"
            : $"{needs.Replicas} copies, all lost within rebuilds: {needs.Replicas} f (f T)^{needs.Replicas - 1}";

    // 1 - e^-x, also where x is so small that 1 - x is 1. The rate is a probability for that: their difference is x / 2 of it.
    static double WithinAYear(double rate) => rate < 1e-8 ? rate : 1 - Math.Exp(-rate);

    static double LogCombinations(int all, int chosen)
    {
        var combinations = 0.0;
        for (var i = 1; i <= chosen; i++) combinations += Math.Log((double)(all - chosen + i) / i);
        return combinations;
    }

    static string[] Assumptions(ClusterNeeds needs, DriveFailures drives) =>
    [
        $"Drives fail independently: {Share.Format(needs.AnnualFailureShare)} of them a year, which is the rate f = -ln(1 - AFR). "
            + "Real failures come in bursts (a rack, a firmware, an operator), so real durability is lower.",
        drives.RebuildSeconds is { } seconds
            ? $"{(needs.Erasure is null ? "Copies" : "Parts")} are on different nodes"
                + $"{(needs.Racks is null ? "" : ", and spread over racks evenly")}, placed at random; a lost drive is noticed and "
                + $"rebuilt in T = {Period.Format(needs.DetectTime.TotalSeconds)} + {Period.Format(seconds)}, "
                + "by peers that have the bandwidth to spare."
            : "There is one copy, so nothing that is lost comes back but from a backup.",
        "Nothing else loses data: no deletion by mistake, no bug, no damage that nobody looks for. Against those help backups, checksums "
            + "and scrubbing, not copies.",
    ];

    static string Nines(double nines) => Math.Floor(nines) switch
    {
        > MostNines => $"more than {MostNines} nines",
        0 => "less than 1 nine",
        1 => "1 nine",
        var count => string.Create(CultureInfo.InvariantCulture, $"{count:0} nines"),
    };

    static string Probability(double value) => -Math.Log10(value) switch
    {
        <= 3 => string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.##} %"),
        < MostReckonedNines => string.Create(CultureInfo.InvariantCulture, $"{value:0.0e-0}"),
        _ => $"less than 1e-{MostReckonedNines}",
    };

    static string Few(double value) =>
        value >= 10 ? string.Create(CultureInfo.InvariantCulture, $"{value:N0}")
        : value >= 0.01 ? string.Create(CultureInfo.InvariantCulture, $"{value:0.##}")
        : string.Create(CultureInfo.InvariantCulture, $"{value:0.0e-0}");
}
