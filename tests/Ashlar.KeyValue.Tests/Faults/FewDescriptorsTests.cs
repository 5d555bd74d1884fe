namespace Ashlar.KeyValue.Tests;

/// <summary>A process that may have few files open: the store closes those that it can do without, and no write is refused.</summary>
[Trait("disk", "any")]
public sealed class FewDescriptorsTests
{
    [Fact]
    public void Files_that_are_open_for_reading_make_room_for_those_that_are_written()
    {
        const int Most = 24, Keys = 1500;
        var disk = new FewDescriptors(TestStore.AnyDisk(), Most);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TableBytes = 1024 });
        for (var i = 0; i < Keys; i++) store.Put($"{i * 7919 % Keys:d6}", new string('x', 100), Durability.Relaxed);
        store.Compact();
        Assert.True(disk.Refused > 0, "there were always enough");
        Assert.True(store.GetStatistics().Levels.Sum(level => level.Tables) > 2 * Most, "there are few tables");
        for (var i = 0; i < Keys; i++) Assert.Equal(100, store.Get($"{i:d6}")?.Length);
        Assert.Null(store.GetStatistics().LastBackgroundFailure);
        Assert.Empty(store.Verify().Problems);
    }
}
