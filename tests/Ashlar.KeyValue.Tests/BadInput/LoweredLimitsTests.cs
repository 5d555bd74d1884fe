namespace Ashlar.KeyValue.Tests;

/// <summary>Limits say what puts accept. What a store holds from before they were lowered can be read, and deleted.</summary>
[Trait("disk", "any")]
public sealed class LoweredLimitsTests
{
    [Fact]
    public async Task Keys_that_are_longer_than_the_limit_are_read_and_deleted_on_every_path()
    {
        var disk = TestStore.AnyDisk();
        var keys = Enumerable.Range(0, 4).Select(number => TestStore.Bytes($"{new string('k', 20)}{number}")).ToArray();
        using (var before = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
            foreach (var key in keys) before.Put(key, "value"u8);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { MaxKeyBytes = 10, MaxValueBytes = 3 });
        foreach (var key in keys) Assert.Equal("value"u8.ToArray(), store.Get(key));
        Assert.Equal(4, store.ReadAll().Split(' ').Length);
        store.Delete(keys[0]);
        await store.DeleteAsync(keys[1]);
        var batch = new WriteBatch();
        batch.Delete(keys[2]);
        batch.Put("short"u8, "1"u8);
        store.Write(batch);
        Assert.Equal("kkkkkkkkkkkkkkkkkkkk3=value short=1", store.ReadAll());
        batch.Put(keys[2], "1"u8);
        Assert.Equal(21, Assert.Throws<KeyLengthException>(() => store.Write(batch)).LengthBytes);
        Assert.Throws<KeyLengthException>(() => store.Put(keys[0], "1"u8));
        store.Compact();
        Assert.Equal("kkkkkkkkkkkkkkkkkkkk3=value short=1", store.ReadAll());
    }
}
