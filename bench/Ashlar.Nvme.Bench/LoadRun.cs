using System.Diagnostics;
using System.Globalization;

namespace Ashlar.Nvme.Bench;

/// <summary>Drives connections, a thread for each, for a time, and prints what they did.</summary>
static class LoadRun
{
    public static int Run(BenchOptions options)
    {
        NvmeClient? admin = null;
        var blockShift = 0;
        if (options.IsNvme) admin = NvmeClient.Associate(options with { Depth = 1 }, out blockShift);
        using (admin)
        {
            Work[] works =
            [
                .. Enumerable.Range(0, options.Connections)
                    .Select(index => new Work(options, index, Open(options, admin, index, blockShift))),
            ];
            var gate = new Barrier(works.Length + 1);
            Thread[] threads = [.. works.Select(work => new Thread(() => work.Run(gate)) { IsBackground = true })];
            foreach (var thread in threads) thread.Start();
            gate.SignalAndWait();
            foreach (var thread in threads) thread.Join();
            foreach (var work in works) work.Dispose();
            if (works.FirstOrDefault(static work => work.Failure is not null) is { } failed)
            {
                Console.Error.WriteLine($"nvme-bench: {failed.Failure}");
                return 1;
            }
            Print(options, works);
        }
        return 0;
    }

    static BenchClient Open(BenchOptions options, NvmeClient? admin, int index, int blockShift) =>
        admin is null ? new NbdClient(options) : NvmeClient.Join(options, admin, index + 1, blockShift);

    static void Print(BenchOptions options, Work[] works)
    {
        if (options.Kind == WorkKind.Check)
        {
            Console.WriteLine($"{works.Sum(static work => work.Compared)} blocks compared, seed {options.Seed}");
            return;
        }
        if (options.Kind == WorkKind.Fill) return;
        var all = new Latencies();
        foreach (var work in works) all.Add(work.Latencies);
        var rate = works.Sum(work => work.Latencies.Count / Stopwatch.GetElapsedTime(work.From, work.Until).TotalSeconds);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{rate:F0}\t{rate * options.BlockBytes / (1 << 20):F1}\t{all.Microseconds(0.5):F1}\t{all.Microseconds(0.99):F1}\t"
            + $"{all.Microseconds(0.999):F1}"));
    }
}
