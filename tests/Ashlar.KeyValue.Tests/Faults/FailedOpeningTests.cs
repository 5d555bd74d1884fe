using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>An opening that fails leaves nothing behind in the process, wherever it fails.</summary>
public sealed class FailedOpeningTests
{
    const string Archive = "/archive";

    // What the constructor of a store does, from the first step on; failing here, it has not been done.
    static readonly string[] OpeningSteps =
    [
        "cache = new BlockCache(options.BlockCacheBytes);",
        "values = new ValueSegments(files, cache);",
        "recovered = new StoreRecovery(",
        "state = CreateState(recovered);",
        "throttle = new WriteThrottle(options);",
        "archiver = CreateArchiver();",
        "compactor = new Compactor(",
        "background = new BackgroundWorker(",
        "durability = new DurabilityTracker(",
        "committer = new Committer(",
        "commits = new CommitQueue(",
        "metered = new SharedStatistics(",
        "archiver?.Start();",
        "background.Start();",
    ];

    // Beside the steps: the second thread cannot be started; and the last step fails, but nothing is unwound.
    const int NoThread = -1, NoUnwinding = -2;

    const string FailingStep = "failing step of opening";

    // One engine for all, because each takes its time to compile: what fails it asks its process.
    static readonly Mutation Failing = new(
        "fails where it is told to",
        [
            .. OpeningSteps.Select((step, index) => new SourceEdit("KeyValueStore.Opening.cs", step, $"{FailIf($"{index}")} {step}")),
            new SourceEdit(
                "Compaction/BackgroundLanes.cs", "thread.Start();", $"if (thread == threads[^1]) {{ {FailIf($"{NoThread}")} }} thread.Start();"),
            new SourceEdit("Compaction/BackgroundLanes.cs", "        foreach (var thread in threads)\n        {\n            thread.IsBackground",
                $"        {FailIf($"{NoUnwinding}")}\n        foreach (var thread in threads)\n        {{\n            thread.IsBackground"),
            new SourceEdit(
                "KeyValueStore.Opening.cs", "Release(wasOpened: false);",
                $"if (AppContext.GetData(\"{FailingStep}\") is not {NoUnwinding}) Release(wasOpened: false);"),
        ]);

    public static TheoryData<string> Steps => [.. OpeningSteps];

    [Theory, InlineData(false), InlineData(true)]
    public void Whichever_operation_of_the_disk_fails_nothing_is_held(bool isArchived) => Assert.Equal("", FindLeak(isArchived));

    [Theory, MemberData(nameof(Steps))]
    public void Whichever_step_fails_nothing_is_held(string step) => FailsCleanly(Array.IndexOf(OpeningSteps, step));

    [Fact]
    public void A_thread_that_cannot_be_started_leaves_no_other() => FailsCleanly(NoThread);

    [Fact]
    public void What_is_not_unwound_is_noticed()
    {
        var (disk, directory) = Fail(NoUnwinding);
        Assert.Contains("files are open", Held(disk, directory), StringComparison.Ordinal);
        Assert.NotEmpty(ThreadsOf(directory));
    }

    static void FailsCleanly(int step)
    {
        var (disk, directory) = Fail(step);
        Assert.Equal("", Held(disk, directory));
        // One that was waited for is gone in a moment, one that was forgotten never.
        while (ThreadsOf(directory).Length > 0) Thread.Sleep(1);
        using var store = KeyValueStore.Open(directory, Options(disk, isArchived: true));
        Assert.Equal("1", store.Get("last"));
    }

    static (SimulatedFileSystem Disk, string Directory) Fail(int step)
    {
        var place = (Disk: Prepare($"/s{step}", isArchived: true), Directory: $"/s{step}"); // In the names of threads, which are short.
        AppContext.SetData(FailingStep, step);
        Assert.True(Failing.Run(FailsToOpen, place));
        return place;
    }

    static bool FailsToOpen((SimulatedFileSystem Disk, string Directory) place)
    {
        try
        {
            KeyValueStore.Open(place.Directory, Options(place.Disk, isArchived: true) with { BackgroundInline = false }).Dispose();
            return false;
        }
        catch (InvalidTimeZoneException)
        {
            return true;
        }
    }

    // An exception that nothing in the engine knows.
    static string FailIf(string step) => $"if (AppContext.GetData(\"{FailingStep}\") is {step}) throw new InvalidTimeZoneException();";

    static string FindLeak(bool isArchived)
    {
        var failed = 0;
        for (var nth = 1; ; nth++)
        {
            var disk = Prepare(TestStore.Directory, isArchived);
            var rule = new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { Nth = nth };
            var faulty = new FaultyFileSystem(disk, rule);
            try
            {
                KeyValueStore.Open(TestStore.Directory, Options(faulty, isArchived)).Dispose();
            }
            catch (AshlarException)
            {
                failed++;
                if (Held(disk, TestStore.Directory) is not "" and var held) return $"{held} where operation {nth} fails";
                KeyValueStore.Open(TestStore.Directory, Options(disk, isArchived)).Dispose();
            }

            if (faulty.CountFired(rule) > 0) continue;
            Assert.True(failed > 10, $"only {failed} openings failed");
            return "";
        }
    }

    // Files that are open, and locks.
    static string Held(SimulatedFileSystem disk, string directory)
    {
        var held = disk.OpenFiles > 0 ? $"{disk.OpenFiles} files are open " : "";
        foreach (var locked in new[] { directory, Archive }.Where(disk.DirectoryExists))
        {
            try
            {
                disk.Lock($"{locked}/LOCK").Dispose();
            }
            catch (LockedException)
            {
                held += $"{locked} is locked ";
            }
        }

        return held;
    }

    static string[] ThreadsOf(string directory) =>
    [
        .. Directory.GetDirectories("/proc/self/task").Select(NameOf).Where(name => name.EndsWith($" {directory}", StringComparison.Ordinal)),
    ];

    static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText($"{task}/comm").TrimEnd();
        }
        catch (IOException)
        {
            return ""; // It has ended.
        }
    }

    static SimulatedFileSystem Prepare(string directory, bool isArchived)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using (var store = KeyValueStore.Open(directory, Options(disk, isArchived)))
        {
            for (var i = 0; i < 60; i++) store.Put($"{i:d3}", new string('x', 200));
            store.Flush();
            store.Put("last", "1");
        }

        Assert.Equal(0, disk.OpenFiles);
        return disk;
    }

    static KeyValueOptions Options(IFileSystem disk, bool isArchived) => TestStore.Small(disk) with
    {
        SpaceReserveBytes = 64 << 10,
        SeparatedValueBytes = 100,
        LogArchiveDirectory = isArchived ? Archive : null,
    };
}
