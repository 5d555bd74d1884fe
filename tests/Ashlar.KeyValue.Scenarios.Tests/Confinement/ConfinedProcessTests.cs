using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Processes with a heap that is too small, or with few file descriptors. They go on, refuse, or end; what they acknowledged is there, and
/// the store is sound.
/// </summary>
public sealed class ConfinedProcessTests(ITestOutputHelper output)
{
    [Fact]
    public void A_process_that_runs_out_of_memory_or_descriptors_loses_nothing_that_it_acknowledged()
    {
        var runs = TestTier.Choose(4, 50);
        var (ended, refused, acknowledged, confinedHeap) = (0, 0, 0L, 0);
        for (var number = 0; number < runs; number++)
        {
            using var directory = new TemporaryDirectory();
            var lacksMemory = number % 2 == 0;
            var (exitCode, last) = Run(directory["store"], number, lacksMemory);
            if (exitCode == 3) refused++;
            else if (exitCode != 0) ended++;
            if (lacksMemory && exitCode != 0) confinedHeap++;
            acknowledged += last + 1;
            Check(directory["store"], number, last, LongestOf(number % 2 == 0));
        }

        Assert.True(confinedHeap > 0, "no heap was too small");
        Assert.True(acknowledged >= runs, $"only {acknowledged} writes were acknowledged");
        output.WriteLine(JsonSerializer.Serialize(new { line = "engine confined", runs, ended, refused, acknowledged, failures = 0 }));
    }

    // The kernel would end it, by SIGXFSZ, if the signal were not ignored. A log that may grow no more is followed by another.
    [Theory]
    [InlineData(20_000, 0)]
    [InlineData(700_000, 3)]
    public void A_process_whose_files_have_a_limit_is_refused_what_fits_into_none_and_lives(int longest, int exit)
    {
        const int writes = 500, seed = 1;
        using var directory = new TemporaryDirectory();
        var (exitCode, last, errors) = Run(directory["store"], seed, "ulimit -f 512 && ", writes, longest, heapBytes: null);
        Assert.Equal(exit, exitCode);
        if (exit != 0) Assert.Contains("File too large", errors, StringComparison.Ordinal);
        Assert.InRange(last, exit == 0 ? writes - 1 : 0, writes - 1);
        Check(directory["store"], seed, last, longest);
    }

    static int LongestOf(bool lacksMemory) => lacksMemory ? 8 << 20 : 20_000;

    static (int ExitCode, int LastAcknowledged) Run(string directory, int seed, bool lacksMemory)
    {
        var limit = lacksMemory ? "" : string.Create(CultureInfo.InvariantCulture, $"ulimit -n {48 + (seed % 5 * 8)} && ");
        long? heapBytes = lacksMemory ? (20 + (seed % 7 * 6)) << 20 : null;
        var (exitCode, last, _) = Run(directory, seed, limit, lacksMemory ? 24 : 150, LongestOf(lacksMemory), heapBytes);
        return (exitCode, last);
    }

    static (int ExitCode, int LastAcknowledged, string Errors) Run(
        string directory, int seed, string limit, int writes, int longest, long? heapBytes)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Ashlar.KeyValue.Confined.dll");
        var arguments = string.Create(CultureInfo.InvariantCulture, $"'{directory}' {seed} {writes} {longest}");
        var start = new ProcessStartInfo("sh", ["-c", $"{limit}exec dotnet '{program}' {arguments}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (heapBytes is { } heap) start.Environment["DOTNET_GCHeapHardLimit"] = heap.ToString("x", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0"; // It maps a file of gigabytes, which counts against the size of files.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var last = -1;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) last = number;
        }

        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill();
            Assert.Fail("The process closed its output and does not end.");
        }

        return (process.ExitCode, last, errors.GetAwaiter().GetResult());
    }

    static void Check(string directory, int seed, int last, int longest)
    {
        if (last < 0 && !File.Exists(Path.Combine(directory, "MANIFEST"))) return;
        using var store = KeyValueStore.Open(directory);
        Assert.Empty(store.Verify().Problems);
        for (var number = 0; number <= last; number++)
        {
            var value = store.Get(BitConverter.GetBytes(number));
            Assert.True(value is not null, $"run {seed}: write {number} of {last} was acknowledged and is lost");
            Assert.Equal((((long)number * 1_000_003) + seed) % longest, value.Length);
            Assert.False(value.AsSpan().ContainsAnyExcept((byte)number), $"run {seed}: {number} has another value");
        }
    }
}
