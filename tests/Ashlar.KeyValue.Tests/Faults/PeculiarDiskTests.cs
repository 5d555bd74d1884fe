using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>On a full disk all keys can be deleted, also where what is free says little of what can be written.</summary>
public sealed class PeculiarDiskTests
{
    const int Refusals = 20;

    [Theory]
    [InlineData(48 << 10, 0, 0, true)]
    [InlineData(48 << 10, 0, 0, false)]
    [InlineData(0, 256 << 10, 0, true)]
    [InlineData(0, 256 << 10, 0, false)]
    [InlineData(48 << 10, 256 << 10, 0, false)]
    [InlineData(0, 0, 20, false)]
    public void All_keys_can_be_deleted(int neededForFileBytes, int hiddenBytes, int freedAfterMilliseconds, bool inline)
    {
        var inner = TestStore.NewDisk();
        inner.CapacityBytes = 4 << 20;
        var disk = new PeculiarDisk(inner)
        {
            NeededForFileBytes = neededForFileBytes,
            HiddenBytes = hiddenBytes,
            FreedAfter = TimeSpan.FromMilliseconds(freedAfterMilliseconds),
        };
        var options = TestStore.Small(disk, inline) with
        {
            MemTableBytes = 32 << 10,
            TableBytes = 32 << 10,
            LogSegmentBytes = 64 << 10,
            SpaceReserveBytes = 512 << 10,
            ManifestRewriteBytes = 4096,
        };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        var count = 0;
        for (var refusals = 0; refusals < Refusals;)
        {
            var failure = Record.Exception(() => store.Put($"{count:d6}", new string('x', 200), Durability.Relaxed));
            if (failure is null)
            {
                count++;
                continue;
            }

            Assert.Equal(StorageErrorKind.NoSpace, Assert.IsType<StorageException>(failure).Kind);
            refusals++;
        }

        Assert.True(count > 1000, $"only {count} values fit");
        for (var i = 0; i < count; i++) store.Delete(TestStore.Bytes($"{i:d6}"), Durability.Relaxed);
        store.Compact();
        Assert.Equal("", store.ReadAll());
        store.Put("again", "x");
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void A_small_store_takes_little_space()
    {
        var disk = TestStore.NewDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, new() { FileSystem = disk }))
        {
            store.Put("a", "1");
            Assert.InRange(store.GetStatistics().SpaceBytes, 1, 1 << 20);
            store.Flush();
            Assert.InRange(store.GetStatistics().SpaceBytes, 1, 1 << 20);
        }

        Assert.InRange(disk.List(TestStore.Directory).Sum(name => LengthOf(disk, name)), 1, 1 << 20);
    }

    [Fact]
    public void What_is_kept_grows_with_the_store()
    {
        var options = TestStore.Small(TestStore.NewDisk()) with { MemTableBytes = 2 << 20, TableBytes = 1 << 20, SpaceReserveBytes = null };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        var kept = new List<long>();
        for (var i = 0; i < 40_000; i++)
        {
            store.Put($"{i:d6}", new string('x', 100), Durability.Relaxed);
            if (i % 500 == 0) kept.Add(store.GetStatistics().ReservedBytes);
        }

        Assert.Equal(512 << 10, kept[0]);
        Assert.Equal(6 << 20, kept[^1]); // Twice memtable and table.
        Assert.Equal(kept.Order(), kept);
        Assert.True(kept.Distinct().Count() > 3);
    }

    static long LengthOf(SimulatedFileSystem disk, string name)
    {
        using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.ReadOnly);
        return Math.Max(file.LengthBytes, file.AllocatedBytes);
    }
}
