using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Options that are longer than a timer takes, and openings that fail when everything was prepared.</summary>
[Trait("disk", "any")]
public sealed class LongTimesTests
{
    [Fact]
    public void Times_without_a_bound_are_taken()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()) with
        {
            TimeProvider = TimeProvider.System,
            RelaxedLossTime = TimeSpan.MaxValue,
            LogArchiveDirectory = "/archive",
            LogArchiveInterval = TimeSpan.MaxValue,
        });
        store.Put("a", "1", Durability.Relaxed);
        store.ArchiveLog();
        Assert.Equal("1", store.Get("a"));
    }

    [Fact]
    public void An_opening_that_failed_leaves_nobody_who_works_on_the_files()
    {
        var disk = TestStore.AnyDisk();
        var quiet = TestStore.Small(disk) with { InlineMerges = 0 };
        using (var store = KeyValueStore.Open(TestStore.Directory, quiet))
        {
            for (var round = 0; round < 8; round++)
            {
                for (var i = 0; i < 20; i++) store.Put($"{i:d2}", $"{round}");
                store.Flush();
            }
        }

        using var hasFailed = new ManualResetEventSlim();
        var ghosts = 0;
        var faulty = new FaultyFileSystem(disk)
        {
            BeforeOperation = (_, _) =>
            {
                if (Thread.CurrentThread.Name is not { } name || !name.StartsWith("merge", StringComparison.Ordinal)) return;
                hasFailed.Wait(); // The opening fails first.
                Interlocked.Increment(ref ghosts);
            },
        };
        Assert.Throws<InvalidOperationException>(() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline: false) with
        {
            TimeProvider = new BrokenTimers(),
            LogArchiveDirectory = "/archive",
        }));
        using (var again = KeyValueStore.Open(TestStore.Directory, quiet))
        {
            hasFailed.Set();
            for (var i = 0; i < 1000; i++) again.Put($"new {i}", "1");
            Assert.Empty(again.Verify().Problems);
        }

        using var last = KeyValueStore.Open(TestStore.Directory, quiet);
        Assert.Equal(("7", "1"), (last.Get("07"), last.Get("new 999")));
        Assert.Equal(0, Volatile.Read(ref ghosts));
    }

    sealed class BrokenTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new BrokenTimer();
    }

    sealed class BrokenTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new InvalidOperationException("a timer that does not work");

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
