using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Closing on a disk that fails: a <c>using</c> does not throw, and what may be lost is told all the same.</summary>
[Trait("disk", "any")]
public sealed class ClosingTests
{
    readonly IFileSystem inner = TestStore.AnyDisk();
    readonly FaultyFileSystem disk;

    public ClosingTests() => disk = new FaultyFileSystem(inner);

    [Theory]
    [InlineData(FaultOperations.Sync)]
    [InlineData(FaultOperations.Write)]
    [InlineData(FaultOperations.All)]
    public void Dispose_does_not_throw_what_the_disk_refuses_and_tells_of_it(FaultOperations operations)
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1", Durability.Relaxed);
        disk.Add(new FaultRule(operations, FaultKind.InputOutputError) { IsSticky = true });
        store.Dispose();
        var failure = Assert.IsType<StorePoisonedException>(store.Failure);
        Assert.IsType<StorageException>(failure.FirstCause);
        store.Dispose();
    }

    [Fact]
    public void Close_throws_what_dispose_keeps_and_the_store_can_be_opened_again()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1");
        store.Put("b", "1", Durability.Relaxed);
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        Assert.Throws<StorePoisonedException>(store.Close);
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal("1", reopened.Get("a"));
    }

    [Fact]
    public void A_poisoned_store_is_closed_without_a_throw_and_says_why_it_was()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1", Durability.Relaxed);
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        Assert.Throws<StorePoisonedException>(() => store.Put("b", "1"));
        store.Dispose();
        Assert.IsType<StorePoisonedException>(store.Failure);
    }

    [Fact]
    public void A_store_that_closes_well_has_no_failure()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1", Durability.Relaxed);
        store.Close();
        Assert.Null(store.Failure);
    }

    [Fact]
    public void The_mark_of_an_orderly_close_is_no_loss_when_it_is_missing()
    {
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        store.Put("a", "1");
        disk.Add(new FaultRule(FaultOperations.Write, FaultKind.InputOutputError) { PathPattern = "*MANIFEST*", IsSticky = true });
        store.Close();
        Assert.Null(store.Failure);
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(inner));
        Assert.Equal("1", reopened.Get("a"));
    }
}
