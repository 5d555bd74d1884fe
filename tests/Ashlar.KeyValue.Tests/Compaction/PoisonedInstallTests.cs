using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Doubt arises while tables are being written: they do not become part of the store any more.</summary>
public sealed class PoisonedInstallTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void Tables_that_are_ready_after_the_store_was_poisoned_change_nothing(bool isMerge)
    {
        var inner = TestStore.NewDisk();
        KeyValueStore? store = null;
        byte[]? manifestInDoubt = null;
        FaultyFileSystem disk = null!;
        disk = new FaultyFileSystem(inner)
        {
            BeforeOperation = (operation, path) =>
            {
                if (store is null || operation != FaultOperations.Sync || !path.Contains("table-", StringComparison.Ordinal)) return;
                var opened = store;
                store = null; // Once.
                // Behind the head of the segment.
                disk.Add(new FaultRule(FaultOperations.Write, FaultKind.InputOutputError) { PathPattern = "*log-*", Nth = 2 });
                Assert.Throws<StorePoisonedException>(() => opened.Put("doubtful", "1"));
                manifestInDoubt = StoreImage.Take(inner).Files["MANIFEST"];
            },
        };
        using (var opened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk, inline: false)))
        {
            for (var round = 0; round < 2; round++)
            {
                opened.Put("a", $"{round}");
                if (isMerge) opened.Flush();
            }

            store = opened;
            Assert.Throws<StorePoisonedException>(isMerge ? opened.Compact : opened.Flush);
        }

        Assert.NotNull(manifestInDoubt);
        Assert.Equal(manifestInDoubt, StoreImage.Take(inner).Files["MANIFEST"]);
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(inner));
        Assert.Equal("a=1", reopened.ReadAll());
        Assert.Empty(reopened.Verify().Problems);
    }
}
