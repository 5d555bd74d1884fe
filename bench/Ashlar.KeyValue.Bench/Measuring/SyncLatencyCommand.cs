using System.Diagnostics;
using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Bench;

/// <summary>
/// What one flush costs in a directory: a byte changed, then fdatasync. A disk that answers within a few microseconds flushes
/// nothing, and figures of durable writes on it mean nothing.
/// </summary>
static class SyncLatencyCommand
{
    const int Count = 300;

    public static int Run(string directory)
    {
        var path = Path.Combine(Path.GetFullPath(directory), "sync-latency");
        var latencies = new LatencyHistogram();
        using (var file = FileSystems.Real.Open(path, FileOpenMode.CreateNew))
        {
            for (var i = 0; i < Count; i++)
            {
                file.Write([(byte)i], 0);
                var start = Stopwatch.GetTimestamp();
                file.Sync();
                latencies.Add(start, Stopwatch.GetTimestamp());
            }
        }

        FileSystems.Real.Delete(path);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{latencies.Percentile(0.5):F0} {latencies.Percentile(0.99):F0} {latencies.MaxNanoseconds / 1000.0:F0}"));
        return 0;
    }
}
