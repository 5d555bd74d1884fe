using System.Collections;
using System.Diagnostics;

namespace Ashlar.KeyValue.Bench;

/// <summary>What is done to a store as a whole, once.</summary>
static class Maintenance
{
    public static bool IsKnown(string name) => name is "waitforcompaction" or "flush" or "compact" or "stats";

    public static Measurement? Run(string name, KeyValueStore store)
    {
        if (name == "stats")
        {
            PrintStatistics(store.GetStatistics());
            return null;
        }

        var before = ProcessUsage.OfThisProcess();
        var start = Stopwatch.GetTimestamp();
        var seconds = 0.0;
        switch (name)
        {
            case "flush": store.Flush(); break;
            case "compact": store.Compact(); break;
            default: seconds = Quiescence.Wait().TotalSeconds; break;
        }

        if (seconds == 0) seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var after = ProcessUsage.OfThisProcess();
        return new Measurement
        {
            Name = name,
            Seconds = seconds,
            WrittenBytes = after.WrittenBytes - before.WrittenBytes,
            ReadBytes = after.ReadBytes - before.ReadBytes,
            PeakResidentBytes = ProcessUsage.PeakResidentBytes("self"),
            ResidentBytes = ProcessUsage.ResidentBytes("self"),
            CpuMicrosPerOp = 1e6 * (after.CpuSeconds - before.CpuSeconds),
        };
    }

    static void PrintStatistics(KeyValueStatistics statistics)
    {
        foreach (var property in typeof(KeyValueStatistics).GetProperties())
        {
            var value = property.GetValue(statistics);
            if (value is IEnumerable items and not string) value = string.Join(' ', items.Cast<object>());
            Console.Error.WriteLine($"  {property.Name,-28} {value}");
        }
    }
}
