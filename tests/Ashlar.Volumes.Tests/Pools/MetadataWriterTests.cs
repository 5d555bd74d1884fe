using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>A write of the map is done, refused with nothing in doubt, or in doubt.</summary>
public sealed class MetadataWriterTests : IDisposable
{
    readonly FaultyFileSystem disk = new(new SimulatedFileSystem(isRecording: false));
    readonly FailureLatch failure = new("main");
    readonly KeyValueStore store;
    readonly MetadataWriter writer;

    public MetadataWriterTests()
    {
        store = KeyValueStore.Open("/map", new KeyValueOptions
        {
            FileSystem = disk,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(2),
            LogSegmentBytes = 1024,
            SpaceReserveBytes = 0,
        });
        writer = new MetadataWriter(store, failure, new PoolEvents("main", null), "main");
    }

    [Fact]
    public async Task What_the_disk_has_no_room_for_is_refused_and_can_be_tried_again()
    {
        disk.Add(new FaultRule(FaultOperations.Allocate, FaultKind.NoSpace) { PathPattern = "/map/log-*", IsSticky = true });
        var batch = Large();
        var refusal = await Assert.ThrowsAsync<DeviceFullException>(async () => await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false));
        Assert.Contains("disk of the pool's map", refusal.Message, StringComparison.Ordinal);
        Assert.Null(failure.First);
        Assert.Null(store.Get("key"u8));
        disk.Heal();
        await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: false);
        Assert.NotNull(store.Get("key"u8));
    }

    [Fact]
    public async Task What_fails_otherwise_is_in_doubt_and_nothing_is_written_after_it()
    {
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError) { PathPattern = "/map/log-*" });
        await Assert.ThrowsAsync<DeviceIOException>(async () => await writer.WriteAsync(Large(), Durability.Sync, mayUseReserve: false));
        Assert.NotNull(failure.First);
        disk.Heal();
        await Assert.ThrowsAsync<DeviceIOException>(async () => await writer.WriteAsync(Large(), Durability.Sync, mayUseReserve: false));
    }

    public void Dispose() => store.Dispose();

    static WriteBatch Large()
    {
        var batch = new WriteBatch();
        batch.Put("key"u8, new byte[8192]);
        return batch;
    }
}
