using System.Diagnostics;

namespace Ashlar.Blocks.Bench;

/// <summary>How rows are measured and printed: a line each, with name, Ashlar, what it is compared with, ratio.</summary>
static class Measuring
{
    public const int Rounds = 9;

    /// <summary>A file system directory of this run, which goes with it.</summary>
    public static async Task InDirectoryAsync(string parent, Func<string, Task> work)
    {
        var directory = Directory.CreateDirectory(Path.Combine(parent, $"blocks-bench-{Environment.ProcessId}")).FullName;
        try
        {
            await work(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>How many units of work are done in a second.</summary>
    public static async Task<double> RateAsync(bool isProcessorTime, double units, Func<Task> work)
    {
        var (startedAt, usedBefore) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await work();
        var time = isProcessorTime ? Environment.CpuUsage.TotalTime - usedBefore : Stopwatch.GetElapsedTime(startedAt);
        return units / time.TotalSeconds;
    }

    /// <summary>Medians of rounds that alternated; above 1 is better for Ashlar.</summary>
    public static void Print(string name, List<double> ours, List<double> theirs)
    {
        var (our, their) = (Median(ours), Median(theirs));
        Console.WriteLine(FormattableString.Invariant($"{name}\t{our:F0}\t{their:F0}\t{our / their:F2}"));
        Console.Error.WriteLine(FormattableString.Invariant(
            $"  spread {ours.Min():F0} to {ours.Max():F0} against {theirs.Min():F0} to {theirs.Max():F0}"));

        static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
    }
}
