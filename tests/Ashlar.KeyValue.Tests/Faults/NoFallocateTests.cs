using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>File systems that cannot reserve space, as NFS before 4.2, exFAT and many in user space.</summary>
public sealed class NoFallocateTests
{
    static readonly FaultRule NotSupported = new(FaultOperations.Allocate, FaultKind.NotSupported) { IsSticky = true };

    [Fact]
    public void A_store_works_without_fallocate_and_keeps_its_promises_over_power_loss()
    {
        var disk = new SimulatedFileSystem();
        using var store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(new FaultyFileSystem(disk, NotSupported)) with { LogSegmentBytes = 20_000 });
        for (var i = 0; i < 300; i++)
        {
            store.Put($"{i:d3}", new string('x', 100));
            if (i % 50 != 0) continue;
            using var after = KeyValueStore.Open(
                TestStore.Directory, TestStore.Small(new FaultyFileSystem(disk.LosePower((ulong)i + 1), NotSupported)));
            for (var j = 0; j <= i; j++) Assert.Equal(100, after.Get($"{j:d3}")?.Length);
            Assert.Empty(after.Verify().Problems);
        }
    }

    [Fact]
    public void Deletes_go_on_on_a_full_disk_without_fallocate()
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 1 << 20;
        using var store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(new FaultyFileSystem(disk, NotSupported)) with { SpaceReserveBytes = 128 << 10 });
        var count = 0;
        var refused = Assert.Throws<StorageException>(() =>
        {
            for (; count < 10_000; count++) store.Put($"{count:d5}", new string('x', 200));
        });
        Assert.Equal(StorageErrorKind.NoSpace, refused.Kind);
        for (var i = 0; i < count; i++) store.Delete($"{i:d5}");
        store.Put("again", "1");
        Assert.Equal("again=1", store.ReadAll());
    }

    [Fact]
    public void A_segment_takes_no_more_than_its_groups_and_a_little_where_zeros_reserve_its_space()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(new FaultyFileSystem(disk, NotSupported)) with { LogChunkBytes = 4 << 20 });
        store.Put("a", "1");
        Assert.InRange(store.GetStatistics().LogBytes, 1, 300 << 10);
    }
}
