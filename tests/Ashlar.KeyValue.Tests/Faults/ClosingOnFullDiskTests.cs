using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class ClosingOnFullDiskTests
{
    static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(1);

    // It waits a while for space that was freed: closed in any moment of that, it has to end.
    [Theory]
    [InlineData(0), InlineData(5), InlineData(15), InlineData(40), InlineData(70), InlineData(150)]
    public async Task Whoever_waits_for_a_flush_is_told_that_the_store_was_closed(int afterMilliseconds)
    {
        var disk = new FaultyFileSystem(TestStore.NewDisk());
        var store = KeyValueStore.Open(TestStore.Directory, new KeyValueOptions { FileSystem = disk, SpaceReserveBytes = 0 });
        store.Put("a", "1");
        disk.Add(new FaultRule(FaultOperations.Open, FaultKind.NoSpace) { PathPattern = "*/table-*", IsSticky = true });
        var flush = Task.Run(() => Record.Exception(store.Flush));
        await Task.Delay(afterMilliseconds);
        store.Dispose();
        var failure = await flush.WaitAsync(Watchdog);
        Assert.True(failure is ObjectDisposedException or StorageException, $"{failure}");
    }
}
