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
        other.WaitUntilReady();
        Assert.Equal(other.Id, Assert.Throws<LockedException>(() => KeyValueStore.Open(directory["store"])).OwnerProcessId);
        Assert.Throws<LockedException>(() => KeyValueStore.Open(directory["store"], new() { ReadOnly = true }));
        other.Kill();
        using var store = KeyValueStore.Open(directory["store"], VictimWorkload.Options);
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void Removing_the_lock_file_of_an_open_store_lets_a_second_one_in_and_ends_the_writing_of_the_first()
    {
        using var directory = new TemporaryDirectory();
        using var first = KeyValueStore.Open(directory["store"]);
        first.Put("key"u8, "value"u8);
        Assert.Throws<LockedException>(() => KeyValueStore.Open(directory["store"]));
        File.Delete(directory["store/LOCK"]);
        using (var second = KeyValueStore.Open(directory["store"], new() { ReadOnly = true })) Assert.Equal(
            "value"u8.ToArray(), second.Get("key"u8));
        using (var second = KeyValueStore.Open(directory["store"])) Assert.Equal("value"u8.ToArray(), second.Get("key"u8));
        Assert.Equal("value"u8.ToArray(), first.Get("key"u8));
        var refusal = Assert.Throws<StorePoisonedException>(() => first.Put("key"u8, "lost"u8));
        Assert.IsType<StoreDisplacedException>(refusal.InnerException);
        using var third = KeyValueStore.Open(directory["store"]);
        third.Put("other"u8, "value"u8);
        Assert.True(third.Verify().IsClean);
    }
}
