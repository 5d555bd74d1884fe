using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>The disk begins with a durable group while its writer still works on it.</summary>
public sealed class WriteBackTests : IDisposable
{
    readonly SimulatedFileSystem disk = new();
    readonly List<FaultOperations> calls = [];
    readonly FaultyFileSystem observed;
    readonly KeyValueStore store;

    public WriteBackTests()
    {
        observed = new FaultyFileSystem(disk) { BeforeOperation = (operation, _) => calls.Add(operation) };
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(observed));
        store.Put("first", "creates the segment");
        calls.Clear();
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_durable_write_is_begun_before_it_is_waited_for()
    {
        store.Put("a", "1");

        // And the store looks whether it is still its own before anybody is told.
        Assert.Equal([FaultOperations.Write, FaultOperations.WriteBack, FaultOperations.Sync, FaultOperations.LockState], calls);
    }

    [Theory, InlineData(Durability.Relaxed), InlineData(Durability.Unflushed)]
    public void A_write_that_nobody_waits_for_is_left_to_the_kernel(Durability durability)
    {
        store.Put("a", "1", durability);
        Assert.Equal([FaultOperations.Write], calls);
    }

    [Fact]
    public void A_failure_leaves_doubt_as_that_of_a_write_does()
    {
        observed.Add(new FaultRule(FaultOperations.WriteBack, FaultKind.InputOutputError));
        Assert.Throws<StorePoisonedException>(() => store.Put("a", "1"));
        Assert.Throws<StorePoisonedException>(() => store.Put("b", "1", Durability.Unflushed));
        Assert.Null(store.Get("a"));
    }
}
