using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Simulation;

/// <summary>How crash tests are written, and the proof that the explorer goes red for the bugs it is there for.</summary>
public sealed class ToyLogCrashTests
{
    static readonly string[] Texts = [.. Enumerable.Range(0, 12).Select(i => $"{i}:{new string((char)('a' + i), 1 + i * 170)}")];

    sealed record Begun(string Text);

    sealed record Acknowledged(string Text);

    [Fact]
    public void What_was_acknowledged_survives_every_crash()
    {
        var result = CrashExplorer.Explore(AppendAll, Check, new CrashExplorerOptions { NestedOneIn = 5 });

        Assert.True(result.Distinct > 100, $"{result}");
        Assert.True(result.Nested > 20, $"{result}");
    }

    [Fact]
    public void A_skipped_sync_is_caught() =>
        IsCaught(disk => AppendAll(Without(disk, FaultOperations.Sync, "*/records"), disk.Mark));

    [Fact]
    public void A_skipped_sync_of_the_directory_is_caught() =>
        IsCaught(disk => AppendAll(Without(disk, FaultOperations.SyncDirectory, "/log"), disk.Mark));

    [Fact]
    public void A_skipped_sync_of_the_parent_directory_is_caught() =>
        IsCaught(disk => AppendAll(Without(disk, FaultOperations.SyncDirectory, "/"), disk.Mark));

    [Fact]
    public void An_acknowledgement_before_the_sync_is_caught() =>
        IsCaught(disk => AppendAll(disk, mark => disk.Mark(mark is Begun begun ? new Acknowledged(begun.Text) : mark)));

    [Fact]
    public void A_record_that_is_not_checked_is_caught()
    {
        var error = Assert.Throws<CrashCheckException>(() =>
            CrashExplorer.Explore(AppendAll, state => Check(state, ignoresChecksums: true)));
        Assert.Contains("write to /log/records", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_is_shrunk_and_can_be_replayed()
    {
        Action<SimulatedFileSystem> forgetful = disk => AppendAll(Without(disk, FaultOperations.SyncDirectory, "/log"), disk.Mark);
        var error = Assert.Throws<CrashCheckException>(() => CrashExplorer.Explore(forgetful, Check));

        Assert.Single(error.Message.Split('\n'), line => line.Contains("LOST", StringComparison.Ordinal));
        Assert.Contains("LOST  event 2: name /log/records stands for file 2", error.Message, StringComparison.Ordinal);
        var replayed = Assert.Throws<CrashCheckException>(() =>
            CrashExplorer.Explore(forgetful, Check, new CrashExplorerOptions { Replay = error.Replay }));
        Assert.Equal(error.Message, replayed.Message);
    }

    [Fact]
    public void A_state_that_is_not_there_cannot_be_replayed() => Assert.Throws<InvalidOperationException>(() =>
        CrashExplorer.Explore(AppendAll, Check, new CrashExplorerOptions { Replay = "999999/0" }));

    [Fact]
    public void A_bug_that_needs_two_crashes_is_caught_and_can_be_replayed()
    {
        // Recovery empties the log before it writes it again: only a crash in between loses anything.
        Action<CrashState> rewriting = state =>
        {
            string[] records;
            using (var log = ToyLog.Open(state.Disk)) records = [.. log.Records];
            using (var file = state.Disk.Open("/log/records", FileOpenMode.Existing))
            {
                file.SetLength(0);
                file.Sync();
            }

            using (var log = ToyLog.Open(state.Disk))
            {
                foreach (var record in records) log.Append(record);
                MustKeepPromises(log, state);
            }
        };
        var options = new CrashExplorerOptions { NestedOneIn = 1 };
        CrashExplorer.Explore(AppendAll, rewriting, options with { NestedOneIn = 0 });
        var error = Assert.Throws<CrashCheckException>(() => CrashExplorer.Explore(AppendAll, rewriting, options));

        Assert.Contains("Then, while recovering, a second", error.Message, StringComparison.Ordinal);
        var replayed = Assert.Throws<CrashCheckException>(() =>
            CrashExplorer.Explore(AppendAll, rewriting, options with { Replay = error.Replay }));
        Assert.Equal(error.Message, replayed.Message);
    }

    [Fact]
    public async Task Asynchronous_workloads_and_checks_are_explored_alike()
    {
        var expected = CrashExplorer.Explore(AppendAll, Check);
        var result = await CrashExplorer.ExploreAsync(
            async disk =>
            {
                await Task.Yield();
                AppendAll(disk);
            },
            async state =>
            {
                await Task.Yield();
                Check(state);
            });
        Assert.Equal(expected, result);

        await Assert.ThrowsAsync<CrashCheckException>(() => CrashExplorer.ExploreAsync(
            disk => Task.Run(() => AppendAll(Without(disk, FaultOperations.Sync, "*/records"), disk.Mark)),
            state => Task.Run(() => Check(state))));
    }

    [Fact]
    public void Several_threads_may_write_while_the_trace_is_recorded()
    {
        var result = CrashExplorer.Explore(
            disk =>
            {
                using var log = ToyLog.Open(disk);
                var gate = new Lock();
                Parallel.ForEach(Texts, text =>
                {
                    disk.Mark(new Begun(text));
                    lock (gate) log.Append(text);
                    disk.Mark(new Acknowledged(text));
                });
            },
            state =>
            {
                using var log = ToyLog.Open(state.Disk);
                Assert.Empty(state.Marks.OfType<Acknowledged>().Select(mark => mark.Text).Except(log.Records));
                Assert.Empty(log.Records.Except(state.Marks.OfType<Begun>().Select(mark => mark.Text)));
            });
        Assert.True(result.Distinct > 100, $"{result}");
    }

    // A workload: mark before the call and after it returned.
    static void AppendAll(SimulatedFileSystem disk) => AppendAll(disk, disk.Mark);

    static void AppendAll(IFileSystem disk, Action<object> mark)
    {
        using var log = ToyLog.Open(disk);
        foreach (var text in Texts)
        {
            mark(new Begun(text));
            log.Append(text);
            mark(new Acknowledged(text));
        }
    }

    // A check: open as after a reboot, compare with the marks, then see that the store is still good for work.
    static void Check(CrashState state) => Check(state, ignoresChecksums: false);

    static void Check(CrashState state, bool ignoresChecksums)
    {
        using (var log = ToyLog.Open(state.Disk, ignoresChecksums))
        {
            state.RecoveryDone();
            MustKeepPromises(log, state);
            log.Append("after the crash");
        }

        using var again = ToyLog.Open(state.Disk);
        Assert.Equal("after the crash", again.Records[^1]);
    }

    static void MustKeepPromises(ToyLog log, CrashState state)
    {
        var begun = state.Marks.OfType<Begun>().Count();
        var acknowledged = state.Marks.OfType<Acknowledged>().Count();
        Assert.InRange(log.Records.Count, acknowledged, Math.Max(begun, acknowledged));
        Assert.Equal(Texts.Take(log.Records.Count), log.Records);
    }

    static FaultyFileSystem Without(IFileSystem disk, FaultOperations operation, string path) =>
        new(disk, new FaultRule(operation, FaultKind.Skip) { PathPattern = path, IsSticky = true });

    static void IsCaught(Action<SimulatedFileSystem> workload) =>
        Assert.Throws<CrashCheckException>(() => CrashExplorer.Explore(workload, Check));
}
