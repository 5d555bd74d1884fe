using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.KeyValue.Bench;

/// <summary>Reads what db_bench prints, line by line.</summary>
sealed partial class RivalReport(int keyBytes, int valueBytes, Action<Measurement> report)
{
    Measurement? current;
    ProcessUsage before;
    long waitStart;

    /// <summary>Takes a line, and what the process had used when it came.</summary>
    public void Take(string line, ProcessUsage usage, long peakResidentBytes, long residentBytes, TimeProvider clock)
    {
        if (WaitLine().Match(line) is { Success: true } wait)
        {
            Finish();
            if (wait.Groups["event"].Value == "started")
            {
                waitStart = clock.GetTimestamp();
                return;
            }

            current = Usage(new Measurement
            {
                Name = "waitforcompaction",
                Seconds = clock.GetElapsedTime(waitStart).TotalSeconds,
            });
            Finish();
        }
        else if (ResultLine().Match(line) is { Success: true } result && !line.Contains('[', StringComparison.Ordinal))
        {
            Finish();
            var name = result.Groups["name"].Value;
            var operations = long.Parse(result.Groups["operations"].Value, CultureInfo.InvariantCulture);
            var isPut = name.StartsWith("fill", StringComparison.Ordinal) || name == "overwrite";
            current = Usage(new Measurement
            {
                Name = name,
                Operations = operations,
                Seconds = Number(result, "seconds"),
                OpsPerSecond = Number(result, "rate"),
                PutBytes = isPut ? operations * (keyBytes + valueBytes) : 0,
                Found = FoundPart().Match(line) is { Success: true } found
                    ? long.Parse(found.Groups["value"].Value, CultureInfo.InvariantCulture)
                    : null,
            });
        }
        else if (current is not null && Percentiles().Match(line) is { Success: true } percentiles)
        {
            current = current with
            {
                P50 = Number(percentiles, "p50"),
                P99 = Number(percentiles, "p99"),
                P999 = Number(percentiles, "p999"),
            };
        }
        else if (current is not null && MaxPart().Match(line) is { Success: true } max)
        {
            current = current with { Max = Number(max, "value") };
        }

        Measurement Usage(Measurement measurement)
        {
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
    }

    public void Finish()
    {
        if (current is not null) report(current);
        current = null;
    }

    static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<name>[a-z]+)\s*:\s+[\d.]+ micros/op (?<rate>[\d.]+) ops/sec (?<seconds>[\d.]+) seconds (?<operations>\d+) operations",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ResultLine();

    [GeneratedRegex(@"^waitforcompaction\(.*\): (?<event>started|finished)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WaitLine();

    [GeneratedRegex(@"^Percentiles: P50: (?<p50>[\d.]+) .*P99: (?<p99>[\d.]+) P99\.9: (?<p999>[\d.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Percentiles();

    [GeneratedRegex(@"Max: (?<value>[\d.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MaxPart();

    [GeneratedRegex(@"\((?<value>\d+) of \d+ found\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FoundPart();
}
