using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.KeyValue.Bench;

/// <summary>Reads what db_bench prints, line by line, and prints a measurement for each benchmark.</summary>
sealed partial class RivalReport(int keyBytes, int valueBytes)
{
    Measurement? current;
    ProcessUsage before;
    string? waited;
    long endOfLast = Stopwatch.GetTimestamp();

    /// <summary>Takes a line just printed; true if it ended a benchmark.</summary>
    public bool Take(string line, RivalSampler sampler)
    {
        if (WaitLine().IsMatch(line))
        {
            // It says so twice.
            if (current?.Name == waited) return false;
            var end = Math.Max(endOfLast, sampler.LastWorkTimestamp);
            var wait = new Measurement { Name = "waitforcompaction", Seconds = Stopwatch.GetElapsedTime(endOfLast, end).TotalSeconds };
            var complete = WithUsage(wait, sampler).After(current);
            Finish();
            current = complete;
            waited = complete.Name;
        }
        else if (ResultLine().Match(line) is { Success: true } result)
        {
            Finish();
            var name = result.Groups["name"].Value;
            var operations = long.Parse(result.Groups["operations"].Value, CultureInfo.InvariantCulture);
            var isPut = name.StartsWith("fill", StringComparison.Ordinal) || name == "overwrite";
            current = WithUsage(
                new Measurement
                {
                    Name = name,
                    Operations = operations,
                    Seconds = Number(result, "seconds"),
                    OpsPerSecond = Number(result, "rate"),
                    PutBytes = isPut ? operations * (keyBytes + valueBytes) : 0,
                    Found = FoundPart().Match(line) is { Success: true } found ? (long)Number(found, "value") : null,
                },
                sampler);
        }
        else
        {
            if (current is not null && current.Name != waited) TakeLatencies(line);
            return false;
        }

        endOfLast = Stopwatch.GetTimestamp();
        return true;
    }

    public void Finish()
    {
        if (current is not null) Console.WriteLine(current.ToJson());
        current = null;
    }

    void TakeLatencies(string line)
    {
        if (Percentiles().Match(line) is { Success: true } percentiles)
        {
            current = current! with
            {
                P50 = Number(percentiles, "p50"),
                P99 = Number(percentiles, "p99"),
                P999 = Number(percentiles, "p999"),
            };
        }
        else if (MaxPart().Match(line) is { Success: true } max)
        {
            current = current! with { Max = Number(max, "value") };
        }
    }

    Measurement WithUsage(Measurement measurement, RivalSampler sampler)
    {
        var (usage, peakResidentBytes, residentBytes) = sampler.Sample();
        var completed = measurement with
        {
            CpuMicrosPerOp = 1e6 * (usage.CpuSeconds - before.CpuSeconds) / Math.Max(1, measurement.Operations),
            WrittenBytes = usage.WrittenBytes - before.WrittenBytes,
            ReadBytes = usage.ReadBytes - before.ReadBytes,
            PeakResidentBytes = peakResidentBytes,
            ResidentBytes = residentBytes,
        };
        before = usage;
        return completed;
    }

    static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<name>[a-z]+)\s*:\s+[\d.]+ micros/op (?<rate>[\d.]+) ops/sec (?<seconds>[\d.]+) seconds (?<operations>\d+) operations",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ResultLine();

    [GeneratedRegex(@"^waitforcompaction\(.*\): finished", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WaitLine();

    [GeneratedRegex(@"^Percentiles: P50: (?<p50>[\d.]+) .*P99: (?<p99>[\d.]+) P99\.9: (?<p999>[\d.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Percentiles();

    [GeneratedRegex(@"Max: (?<value>[\d.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MaxPart();

    [GeneratedRegex(@"\((?<value>\d+) of \d+ found\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FoundPart();
}
