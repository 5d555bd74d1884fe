using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>One batch that is written to two stores at the same time.</summary>
public sealed class SharedBatchTests
{
    [Fact]
    public void Each_store_writes_its_own_head_before_the_batch()
    {
        var batch = new WriteBatch();
        batch.Put("key"u8, new byte[300]);
        var (first, second) = (TestStore.NewDisk(), TestStore.NewDisk());
        using var other = KeyValueStore.Open(TestStore.Directory, TestStore.Small(second) with { Entropy = new SeededEntropy(6) });
        other.Put("before", "1");
        var isArmed = false;
        var slow = new FaultyFileSystem(first)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation != FaultOperations.Write || !path.Contains("log-", StringComparison.Ordinal)) return;
                isArmed = false;
                other.Write(batch); // Its head is computed while the first store is about to write its own.
            },
        };
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(slow) with { PrewriteLog = false });
        store.Put("before", "1");
        isArmed = true;
        store.Write(batch);
        Assert.False(isArmed);
        foreach (var disk in (SimulatedFileSystem[])[first, second])
        {
            using var copy = KeyValueStore.Open(TestStore.Directory, TestStore.Small(StoreImage.Take(disk).ToDisk()));
            Assert.Equal(300, copy.Get("key"u8)!.Length);
        }
    }
}
