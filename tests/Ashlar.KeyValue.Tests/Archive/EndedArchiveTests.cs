using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>After an archive was ended nothing more gets into it, and the store goes on: without an archive, or with a new one.</summary>
[Trait("disk", "any")]
public sealed class EndedArchiveTests
{
    const string Archive = "/archive";

    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly SimulatedClock clock = new();

    [Fact]
    public void An_open_store_archives_nothing_more_once_its_archive_was_ended()
    {
        using (var store = Open(Archive))
        {
            store.Put("before", "1");
            store.ArchiveLog();
            store.EndLogArchive();
            var parts = disk.List(Archive);
            store.Put("after", "1");
            clock.Advance(TimeSpan.FromHours(1));
            store.Put("much later", "1");
            store.Flush();
            Assert.Throws<InvalidOperationException>(store.ArchiveLog);
            var statistics = store.GetStatistics();
            Assert.Equal((0L, TimeSpan.Zero, null), (statistics.ArchiveLagBytes, statistics.ArchiveLag, statistics.LastArchiveFailure));
            Assert.Equal(parts, disk.List(Archive));
        }

        Assert.Single(new LogArchive(Archive, Options(null)).Inspect().Parts);
        using (var without = Open(null)) Assert.Equal("after=1 before=1 much later=1", without.ReadAll());
        using var anew = Open("/archive2");
        anew.ArchiveLog();
        anew.Put("archived", "1");
        anew.ArchiveLog();
        Assert.Empty(new LogArchive("/archive2", Options(null)).Verify().Problems);
    }

    [Fact]
    public async Task A_part_that_is_being_written_when_the_archive_is_ended_is_the_last_and_is_waited_for()
    {
        var slow = new SlowRename(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, Options(Archive) with { FileSystem = slow });
        store.Put("key", "1");
        var archiving = OnThread(store.ArchiveLog);
        slow.Entered.Wait();
        var ending = OnThread(store.EndLogArchive);
        await Task.Delay(20); // Without the wait it would mostly be over by now.
        var isWaiting = !ending.IsCompleted;
        slow.GoesOn.Set();
        await Task.WhenAll(archiving, ending);
        Assert.True(isWaiting);
        Assert.Single(new LogArchive(Archive, Options(null)).Inspect().Parts);
    }

    [Fact]
    public void The_directory_of_an_archive_that_was_ended_is_refused_as_what_it_is()
    {
        using (var store = Open(Archive))
        {
            store.Put("before", "1");
            store.ArchiveLog();
            store.EndLogArchive();
            store.Put("after", "1");
            store.Flush();
        }

        using var again = Open(Archive);
        again.Put("goes on", "1");
        var refusal = Assert.Throws<LogArchiveException>(again.ArchiveLog);
        Assert.Equal(LogArchiveProblem.Foreign, refusal.Problem);
        Assert.Contains("up to part 1", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("it was ended, or a copy of the store writes it", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("needs a directory of its own", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_directory_than_the_archive_is_in_is_refused_with_what_can_be_done()
    {
        using (var store = Open(Archive)) store.Put("before", "1");
        using var moved = Open("/elsewhere");
        var refusal = Assert.Throws<LogArchiveException>(moved.ArchiveLog);
        Assert.Equal((LogArchiveProblem.Gap, "/elsewhere"), (refusal.Problem, refusal.Directory));
        foreach (var said in new[] { TestStore.Directory, "has written 1 parts", "another directory", "disk mounted?", "EndLogArchive" })
            Assert.Contains(said, refusal.Message, StringComparison.Ordinal);

        // What it advises works.
        foreach (var name in disk.List(Archive)) disk.Rename($"{Archive}/{name}", $"/elsewhere/{name}");
        moved.ArchiveLog();
        moved.EndLogArchive();
        moved.Dispose();
        using var anew = Open("/third");
        anew.ArchiveLog();
    }

    KeyValueStore Open(string? archive) => KeyValueStore.Open(TestStore.Directory, Options(archive));

    KeyValueOptions Options(string? archive) => TestStore.Small(disk) with { TimeProvider = clock, LogArchiveDirectory = archive };

    static Task OnThread(Action run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>The first part stays without its name until it is told to go on.</summary>
    sealed class SlowRename(Storage.IFileSystem disk) : PassingFileSystem(disk)
    {
        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim GoesOn { get; } = new();

        public override void Rename(string source, string target)
        {
            if (target.StartsWith(Archive, StringComparison.Ordinal))
            {
                Entered.Set();
                GoesOn.Wait();
            }

            base.Rename(source, target);
        }
    }
}
