using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk with free bytes on which no file can be created: its inodes, or somebody's quota of them, are used up.</summary>
public sealed class RefusedTablesTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void A_table_that_cannot_be_created_is_tried_again_with_each_signal_and_not_without_end(bool inline)
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 8 << 20;
        var noTables = new FaultRule(FaultOperations.Open, FaultKind.NoSpace) { PathPattern = "*/table-*", IsSticky = true };
        var faulty = new FaultyFileSystem(disk, noTables);
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline) with { SpaceReserveBytes = 512 << 10 });
        var acknowledged = 0;
        StorageException? refusal = null;
        for (; refusal is null; acknowledged++)
        {
            refusal = (StorageException?)Record.Exception(() => store.Put($"{acknowledged:d6}", new string('x', 100), Durability.Relaxed));
        }

        Assert.Equal(StorageErrorKind.NoSpace, refusal.Kind);
        var before = faulty.CountFired(noTables);
        const int Deletes = 20;
        for (var i = 0; i < Deletes; i++) Record.Exception(() => store.Delete($"{i:d6}"));
        Assert.InRange(faulty.CountFired(noTables) - before, 0, 40 * Deletes);

        faulty.Heal();
        store.Put("again", "x");
        Assert.NotNull(store.Get($"{acknowledged - 2:d6}"));
        Assert.Null(store.Failure);
    }
}
