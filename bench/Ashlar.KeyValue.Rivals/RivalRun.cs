using System.Diagnostics;
using System.Globalization;
using Ashlar.KeyValue.Bench;

namespace Ashlar.KeyValue.Rivals;

/// <summary>
/// Loads a store in random order, reads all of it, and measures: each row goes twice, and the second counts, when code is compiled and
/// memory is filled. One line for each row: its name, operations a second, or 0 where the contender cannot do it, and operations in a
/// second of a processor, all threads of the process together, which says more where others use the machine.
/// </summary>
sealed class RivalRun(IContender contender, long num, int valueBytes, TimeSpan duration)
{
    const int KeyBytes = 16;
    const int StepsBetweenLooks = 64;

    ulong putSeed = 1;

    public void Run(string[] rows)
    {
        contender.Load(Entries());
        foreach (var row in rows)
        {
            switch (row)
            {
                case "get":
                    ReadAll();
                    Measure("get-1", length => Gets(1, length));
                    Measure("get-2", length => Gets(2, length));
                    break;
                case "scan": Measure(row, contender.IsOrdered ? Scans : _ => 0); break;
                case "put": Measure(row, Puts); break;
                default: throw new ArgumentException($"there is no row {row}");
            }
        }
    }

    IEnumerable<(byte[] Key, byte[] Value)> Entries()
    {
        var keys = KeySequence.Unique(num, seed: 42, thread: 0, threads: 1);
        var values = new ValuePool(valueBytes);
        for (var left = num; left > 0; left--)
        {
            var key = KeyEncoding.NewKey(KeyBytes);
            KeyEncoding.Write(key, keys.Next());
            yield return (key, values.Next().ToArray());
        }
    }

    void Measure(string row, Func<TimeSpan, long> work)
    {
        work(duration / 2);
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var operations = work(duration);
        var seconds = Math.Max(clock.Elapsed.TotalSeconds, 1e-6);
        process.Refresh();
        var busy = (process.TotalProcessorTime - before).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{row}\t{operations / seconds:F0}\t{operations / Math.Max(busy, 1e-6):F0}"));
    }

    void ReadAll()
    {
        using var reader = contender.OpenReader();
        var key = KeyEncoding.NewKey(KeyBytes);
        var value = new byte[valueBytes];
        for (var number = 0L; number < num; number++)
        {
            KeyEncoding.Write(key, (ulong)number);
            if (reader.Get(key, value) != valueBytes) throw new InvalidOperationException($"key {number} is not what was put");
        }
    }

    long Gets(int threads, TimeSpan length)
    {
        var counts = new long[threads];
        var failures = new Exception?[threads];
        var working = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            try
            {
                counts[thread] = GetsOfThread(thread, length);
            }
            catch (Exception exception)
            {
                failures[thread] = exception;
            }
        })).ToArray();
        foreach (var thread in working) thread.Start();
        foreach (var thread in working) thread.Join();
        if (failures.FirstOrDefault(failure => failure is not null) is { } first) throw first;
        return counts.Sum();
    }

    long GetsOfThread(int thread, TimeSpan length)
    {
        using var reader = contender.OpenReader();
        var keys = KeySequence.Random(num, (ulong)thread + 1);
        var key = KeyEncoding.NewKey(KeyBytes);
        var value = new byte[valueBytes];
        var operations = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < length; operations += StepsBetweenLooks)
        {
            for (var step = 0; step < StepsBetweenLooks; step++)
            {
                KeyEncoding.Write(key, keys.Next());
                if (reader.Get(key, value) != valueBytes) throw new InvalidOperationException("a key is not what was put");
            }
        }

        return operations;
    }

    long Scans(TimeSpan length)
    {
        var entries = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < length;)
        {
            var (walked, _) = contender.Scan();
            if (walked != num) throw new InvalidOperationException($"a scan found {walked} of {num} entries");
            entries += walked;
        }

        return entries;
    }

    long Puts(TimeSpan length)
    {
        var keys = KeySequence.Random(num, putSeed++);
        var values = new ValuePool(valueBytes);
        var key = KeyEncoding.NewKey(KeyBytes);
        var operations = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < length; operations++)
        {
            KeyEncoding.Write(key, keys.Next());
            contender.PutDurably(key, values.Next());
        }

        return operations;
    }
}
