using Ashlar.KeyValue.Victim;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

public sealed class LockTests
{
    [Fact]
    public void A_store_that_another_process_has_open_is_refused_and_free_once_that_process_is_dead()
    {
        using var directory = new TemporaryDirectory();
        using var other = new VictimProcess(new VictimPlan(directory["store"], 1, 0));
        Assert.True(other.WaitUntilReady(TimeSpan.FromMinutes(1)));
        Assert.Equal(other.Id, Assert.Throws<LockedException>(() => KeyValueStore.Open(directory["store"])).OwnerProcessId);
        Assert.Throws<LockedException>(() => KeyValueStore.Open(directory["store"], new() { ReadOnly = true }));
        other.Kill();
        using var store = KeyValueStore.Open(directory["store"], VictimWorkload.Options);
        Assert.True(store.Verify().IsClean);
    }
}
