using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>A flush waits for what was written before it was called, not for what others write meanwhile.</summary>
[Trait("disk", "any")]
public sealed class FlushUnderLoadTests
{
    [Fact]
    public async Task A_flush_returns_while_later_memtables_wait()
    {
        using var firstBegan = new ManualResetEventSlim();
        using var firstMayEnd = new ManualResetEventSlim();
        using var othersMayEnd = new ManualResetEventSlim();
        var tables = 0;
        var faulty = new FaultyFileSystem(TestStore.AnyDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Sync || !path.Contains("/table-", StringComparison.Ordinal)) return;
                var isFirst = Interlocked.Increment(ref tables) == 1;
                if (isFirst) firstBegan.Set();
                (isFirst ? firstMayEnd : othersMayEnd).Wait();
            },
        };
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline: false));
        store.Put("a", "1");
        var flush = Task.Factory.StartNew(store.Flush, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        firstBegan.Wait();
        for (var i = 0; Waiting(store) < 2; i++) store.Put($"{i:d3}", new string('x', 200), Durability.Unflushed);
        firstMayEnd.Set();
        await flush;
        Assert.Equal(1, Waiting(store));
        othersMayEnd.Set();
    }

    static int Waiting(KeyValueStore store)
    {
        using var read = store.State.Read();
        return read.Version.Immutable.Length;
    }
}
