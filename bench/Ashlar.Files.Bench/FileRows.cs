using System.Diagnostics;
using System.Security.Cryptography;

namespace Ashlar.Files.Bench;

/// <summary>
/// One file in and out of the store in one process, durable, on nodes that share the disk: against the least that it has to do, which is a
/// SHA-256 of the content and as many durable writes of it to that disk as there are copies.
/// </summary>
sealed class FileRows(string directory, long fileBytes, int rounds)
{
    const int RangeBytes = 64 << 10, RangeReads = 4000, Many = 16;

    public async Task RunAsync()
    {
        var megabytes = fileBytes / (double)(1 << 20);
        var hash = Median(() => Floors.Hash(HashAlgorithmName.SHA256, fileBytes));
        var disk = Median(() => Floors.Write(directory, fileBytes));
        Console.Error.WriteLine(FormattableString.Invariant($"SHA-256 {hash:F0} MiB/s, disk {disk:F0} MiB/s"));
        foreach (var copies in (int[])[1, 3]) await MeasureAsync(copies, megabytes, hash, disk);
        await MeasureMemoryAsync();
    }

    // What many take at a time does not depend on how long their files are.
    async Task MeasureMemoryAsync()
    {
        await using var store = await BenchStore.OpenAsync(Path.Combine(directory, "many"), 3);
        await store.PutAsync(FilePath.Parse("/first"), new PatternStream(fileBytes / 4, 999));
        var uploads = Enumerable.Range(0, Many).Select(number => Task.Run(
            () => store.PutAsync(FilePath.Parse($"/many{number}"), new PatternStream(fileBytes / 8, (ulong)(1000 + number)))));
        var downloads = Enumerable.Range(0, Many).Select(_ => Task.Run(
            () => store.GetAsync(FilePath.Parse("/first"), 0, long.MaxValue)));
        await Task.WhenAll([.. uploads, .. downloads]);
        var peak = Process.GetCurrentProcess().PeakWorkingSet64 >> 20;
        Console.WriteLine(FormattableString.Invariant(
            $"{Many} uploads and {Many} downloads at a time, 3 copies, most memory, MiB, less is better\t{peak}\t512\t{512.0 / peak:F2}"));
    }

    async Task MeasureAsync(int copies, double megabytes, double hash, double disk)
    {
        List<double> puts = [], again = [], gets = [];
        await using var store = await BenchStore.OpenAsync(Path.Combine(directory, $"store{copies}"), copies);
        for (var round = 0; round < rounds; round++)
        {
            var path = FilePath.Parse($"/file{round}");
            puts.Add(await RateAsync(megabytes, () => store.PutAsync(path, Content(round))));
            await store.Chunks.SettleAsync();
            var written = store.Installs;
            again.Add(await RateAsync(megabytes, () => store.PutAsync(FilePath.Parse($"/again{round}"), Content(round))));
            await store.Chunks.SettleAsync();
            if (store.Installs != written) throw new InvalidOperationException("content that is there was stored again");
            gets.Add(await RateAsync(megabytes, () => store.GetAsync(path, 0, long.MaxValue)));
        }

        var floor = Math.Min(hash, disk / copies);
        Print($"put of {megabytes:0} MiB, {copies} copies, durable, MiB/s", puts, floor);
        Print($"the same content again, {copies} copies, MiB/s, against its first put", again, Floors.Median(puts));
        Print($"get of {megabytes:0} MiB, {copies} copies, MiB/s, against SHA-256", gets, hash);
        await MeasureRangesAsync(store, copies);
        Console.Error.WriteLine($"  peak of memory so far: {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
    }

    static async Task MeasureRangesAsync(BenchStore store, int copies)
    {
        // The first 16 MiB are in memory after they were read once.
        var path = FilePath.Parse("/file0");
        await store.GetAsync(path, 0, 16 << 20);
        var random = new Random(5);
        var times = new List<double>();
        for (var i = 0; i < RangeReads; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await store.GetAsync(path, random.Next((16 << 20) / RangeBytes) * (long)RangeBytes, RangeBytes);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
        }

        times.Sort();
        var (middle, last) = (times[RangeReads / 2], times[RangeReads * 99 / 100]);
        Console.WriteLine(FormattableString.Invariant(
            $"range of 64 KiB that is in memory, {copies} copies, p50 and p99 in us\t{middle:F0}\t{last:F0}\t"));
    }

    PatternStream Content(int round) => new PatternStream(fileBytes, (ulong)round);

    double Median(Func<double> measure) => Floors.Median(Enumerable.Range(0, rounds).Select(_ => measure()).ToArray());

    static async Task<double> RateAsync(double units, Func<Task> work)
    {
        var (begun, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await work();
        var taken = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        Console.Error.WriteLine(FormattableString.Invariant(
            $"  {units / taken:F0} MiB/s with {(Environment.CpuUsage.TotalTime - used).TotalSeconds / taken:F2} processors"));
        return units / taken;
    }

    static void Print(string name, List<double> ours, double theirs)
    {
        var our = Floors.Median(ours);
        Console.WriteLine(FormattableString.Invariant($"{name}\t{our:F0}\t{theirs:F0}\t{our / theirs:F2}"));
        Console.Error.WriteLine(FormattableString.Invariant($"  spread {ours.Min():F0} to {ours.Max():F0}"));
    }
}
