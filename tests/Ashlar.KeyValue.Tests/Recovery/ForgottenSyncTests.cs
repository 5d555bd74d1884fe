using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A process was killed between a write and its sync, or the sync failed: the page cache shows what the disk does not have. What an
/// opening finds there is made durable before anything is done because of it.
/// </summary>
public sealed class ForgottenSyncTests
{
    [Fact]
    public void An_edit_whose_sync_failed_is_durable_before_files_go_because_of_it()
    {
        var disk = new ForgetfulFileSystem();
        var isArmed = false;
        var faulty = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation == FaultOperations.Sync) disk.FailsSyncs = isArmed && path.EndsWith("MANIFEST", StringComparison.Ordinal);
            },
        };
        var options = TestStore.Small(faulty);
        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            for (var round = 0; round < 2; round++)
            {
                for (var i = 0; i < 20; i++) store.Put($"{i:d2}", $"{round}");
                store.Flush();
            }
        }

        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            isArmed = true;
            Assert.Throws<StorePoisonedException>(store.Compact);
            isArmed = false;
        }

        disk.FailsSyncs = false;
        using var reopened = KeyValueStore.Open(TestStore.Directory, options);
        Assert.Equal("1", reopened.Get("07"));
        disk.LosePower();
        using var last = KeyValueStore.Open(TestStore.Directory, TestStore.Small(StoreImage.Take(disk).ToDisk()));
        Assert.Equal("1", last.Get("07"));
        Assert.Empty(last.Verify().Problems);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_seal_that_nobody_synced_is_durable_before_the_manifest_relies_on_it(bool wasKilled, bool writesAgain)
    {
        var disk = new SimulatedFileSystem();
        var isArmed = false;
        FaultyFileSystem faulty = null!;
        faulty = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation != FaultOperations.Sync || !path.Contains("log-", StringComparison.Ordinal)) return;
                isArmed = false; // Whatever a process that was killed would do next fails.
                var operations = wasKilled ? FaultOperations.All : FaultOperations.Sync;
                faulty.Add(new FaultRule(operations, FaultKind.InputOutputError) { IsSticky = wasKilled });
            },
        };
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty));
        store.Put("a", "1");
        isArmed = true;
        store.Dispose();
        Assert.NotNull(store.Failure);

        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal("1", reopened.Get("a"));
        if (writesAgain) reopened.Put("b", "1");
        else reopened.Dispose();
        for (var seed = 1UL; seed <= 60; seed++)
        {
            using var last = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk.LosePower(seed)));
            Assert.Equal(writesAgain ? "a=1 b=1" : "a=1", last.ReadAll());
        }
    }
}
