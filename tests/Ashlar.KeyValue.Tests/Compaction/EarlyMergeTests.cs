using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any, slow")]
public sealed class EarlyMergeTests
{
    static readonly TimeSpan LongEnoughToLook = TimeSpan.FromMilliseconds(300);

    // A store that has no table yet holds more than collection allows for nothing.
    [Fact]
    public void A_merge_that_is_looked_for_before_the_first_table_is_there_finds_nothing_and_fails_at_nothing()
    {
        using var isWriting = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        var disk = new FaultyFileSystem(TestStore.AnyDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Open || !path.Contains("table-", StringComparison.Ordinal)) return;
                isWriting.Set();
                mayGoOn.Wait();
            },
        };
        var options = new KeyValueOptions { FileSystem = disk, BackgroundThreads = 2 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var i = 0; i < 120; i++) store.Put($"{i:d4}", new string('x', 1 << 20), Durability.Unflushed);
        var flush = Task.Run(store.Flush);
        isWriting.Wait();
        Thread.Sleep(LongEnoughToLook);
        var failure = store.GetStatistics().LastBackgroundFailure;
        mayGoOn.Set();
        flush.Wait();
        Assert.Null(failure);
    }
}
