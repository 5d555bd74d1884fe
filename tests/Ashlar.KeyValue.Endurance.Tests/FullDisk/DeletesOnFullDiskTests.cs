using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>
/// File systems with journals, extents and inodes of their own, filled to the last byte: every key can be deleted, one after the other,
/// and then there is room again.
/// </summary>
public sealed class DeletesOnFullDiskTests(ITestOutputHelper output)
{
    const int Ext4Mebibytes = 128, XfsMebibytes = 320; // Smaller XFS is refused by mkfs.
    const int Refusals = 20, Reported = 10_000;

    [LoopVolumeTheory("ext4", Ext4Mebibytes)]
    [InlineData(4, 4, 256, 1000)]
    [InlineData(1, 1, 4, 1000)]
    [InlineData(1, 1, 4, 100)]
    [InlineData(32, 32, 256, 1000)]
    public void Every_key_can_be_deleted_on_a_full_ext4(int memTableMebibytes, int tableMebibytes, int segmentMebibytes, int valueBytes) =>
        Run(new LoopVolume("", "ext4", Ext4Mebibytes), memTableMebibytes, tableMebibytes, segmentMebibytes, valueBytes);

    // Short values are many on a disk of that length: a minute.
    public static TheoryData<int, int, int, int> OnXfs()
    {
        var rows = new TheoryData<int, int, int, int> { { 4, 4, 256, 1000 }, { 1, 1, 4, 1000 }, { 32, 32, 256, 1000 } };
        if (TestTier.IsDeep) rows.Add(1, 1, 4, 100);
        return rows;
    }

    [LoopVolumeTheory("xfs", XfsMebibytes)]
    [MemberData(nameof(OnXfs))]
    public void Every_key_can_be_deleted_on_a_full_XFS(int memTableMebibytes, int tableMebibytes, int segmentMebibytes, int valueBytes) =>
        Run(new LoopVolume("", "xfs", XfsMebibytes), memTableMebibytes, tableMebibytes, segmentMebibytes, valueBytes);

    void Run(LoopVolume disk, int memTableMebibytes, int tableMebibytes, int segmentMebibytes, int valueBytes)
    {
        using var volume = disk;
        var options = new KeyValueOptions
        {
            MemTableBytes = (long)memTableMebibytes << 20,
            TableBytes = (long)tableMebibytes << 20,
            LogSegmentBytes = (long)segmentMebibytes << 20,
            BlockCacheBytes = 8 << 20,
        };
        var directory = $"{volume.MountPoint}/store";
        using (var store = KeyValueStore.Open(directory, options))
        {
            var count = Fill(store, new byte[valueBytes]);
            output.WriteLine($"{count} values of {valueBytes} bytes fit");
            for (var key = 0L; key < count; key++)
            {
                Delete(store, key, count);
                if (key % Reported != 0) continue;
                var statistics = store.GetStatistics();
                output.WriteLine($"{key} deleted: {statistics.SpaceBytes >> 10} KiB of files, {statistics.ReservedBytes >> 10} kept");
            }

            store.Compact();
            using (var cursor = store.Scan(KeyRange.All)) Assert.False(cursor.MoveNext());
            store.Put(Key(0), new byte[valueBytes]);
            Assert.Empty(store.Verify().Problems);
        }

        using var reopened = KeyValueStore.Open(directory, options);
        Assert.NotNull(reopened.Get(Key(0)));
    }

    void Delete(KeyValueStore store, long key, long count)
    {
        try
        {
            store.Delete(Key(key), Durability.Relaxed);
        }
        catch (StorageException full)
        {
            var statistics = store.GetStatistics();
            output.WriteLine(
                $"{statistics.SpaceBytes} bytes of files, {statistics.ReservedBytes} kept; {statistics.LastBackgroundFailure}");
            Assert.Fail($"key {key} of {count} could not be deleted: {full.Message}");
        }
    }

    // A merge that ends may make room for a few more, so one refusal is not the end.
    static long Fill(KeyValueStore store, byte[] value)
    {
        var count = 0L;
        for (var refusals = 0; refusals < Refusals;)
        {
            try
            {
                store.Put(Key(count), value, Durability.Relaxed);
                count++;
            }
            catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
            {
                refusals++;
            }
        }

        return count;
    }

    static byte[] Key(long number)
    {
        var key = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(key, number);
        return key;
    }
}
