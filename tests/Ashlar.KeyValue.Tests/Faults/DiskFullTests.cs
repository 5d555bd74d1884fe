using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk that fills up, is emptied by deletes, and fills up again: nothing is lost, and nothing needs a restart.</summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    const int Cycles = 20;

    /// <summary>Many times what the largest of these disks has room for.</summary>
    const int MostPuts = 100_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Deletes_give_space_back_on_a_full_disk_again_and_again(bool inline)
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 600 << 10;
        Run(TestStore.Directory, Small(disk) with { BackgroundInline = inline }, valueBytes: 200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Values_that_stay_are_moved_out_of_segments_that_hold_deleted_ones(bool inline)
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 1200 << 10;
        Run(TestStore.Directory, Small(disk) with { BackgroundInline = inline, LogSegmentBytes = 32 << 10 }, valueBytes: 1000);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Deletes_go_on_when_others_take_what_is_free(bool inline)
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 600 << 10;
        using var store = KeyValueStore.Open(TestStore.Directory, Small(disk) with { BackgroundInline = inline });
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Fill(store, model, 0, 200);
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/");
        foreach (var key in model.Keys.ToArray())
        {
            store.Delete(TestStore.Bytes(key), Durability.Relaxed);
            model.Remove(key);
        }

        AssertHolds(store, model);
    }

    [Theory, InlineData(0), InlineData(1152)] // What is to be kept need not be whole pages.
    public void Puts_resume_when_space_is_made_from_outside(int moreReserveBytes)
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 600 << 10;
        var options = Small(disk);
        using var store = KeyValueStore.Open(
            TestStore.Directory, options with { SpaceReserveBytes = options.SpaceReserveBytes + moreReserveBytes });
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Fill(store, model, 0, 200);
        AssertIsRefused(store);
        disk.CapacityBytes = 1200 << 10;
        store.Put("again", "x");
        model["again"] = "x";
        AssertHolds(store, model);
        Assert.Null(store.GetStatistics().LastBackgroundFailure);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void All_tables_are_merged_in_steps_where_there_is_no_room_to_do_so_at_once(bool inline)
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, Small(disk) with { BackgroundInline = inline });
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 3000; i++)
        {
            var (key, value) = ($"{i % 2000 * 7919 % 1_000_003:d7}", $"{i}".PadLeft(200, '.'));
            store.Put(key, value, Durability.Relaxed);
            model[key] = value;
        }

        store.Flush();
        var tableBytes = store.GetStatistics().TableBytes;
        var room = 32 << 10; // Enough for all that is kept to be kept again after each step: the disk is not full then.
        Assert.True(tableBytes > 8 * room, $"{tableBytes} bytes of tables would fit at once");
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/") - room;
        store.Compact();
        Assert.Equal(model.Count, store.GetStatistics().TableEntries); // What was overwritten is gone.
        Assert.Null(store.GetStatistics().LastBackgroundFailure);
        AssertHolds(store, model);
    }

    // Each little table would take whole pages, out of what is kept, until no step could be afforded.
    [Fact]
    public void Steps_do_not_leave_little_tables_of_what_is_over()
    {
        var disk = TestStore.NewDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, Small(disk));
        for (var i = 0; i < 4000; i++) store.Put($"{i:d6}", new string('x', 200), Durability.Relaxed);
        store.Compact();
        var before = store.GetStatistics();
        for (var i = 0; i < 4000; i += 70) store.Put($"{i:d6} and one more", new string('x', 200), Durability.Relaxed);
        store.Flush();
        disk.CapacityBytes -= disk.GetFreeSpaceBytes("/") - (32 << 10);
        store.Compact();
        var after = store.GetStatistics();
        Assert.Equal(4058, after.TableEntries);
        Assert.InRange(after.TablesPerLevel.Sum(), 1, before.TablesPerLevel.Sum() + 2);
        Assert.True(after.TablesPerLevel.Sum() > 40, "too few tables to say anything");
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void A_full_disk_can_be_opened_after_a_crash()
    {
        var disk = new SimulatedFileSystem { CapacityBytes = 600 << 10 };
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var store = KeyValueStore.Open(TestStore.Directory, Small(disk));
        Fill(store, model, 0, 200);
        store.Sync();
        var after = disk.LosePower(seed: 1);
        store.Dispose();
        using var reopened = KeyValueStore.Open(TestStore.Directory, Small(after));
        AssertHolds(reopened, model);
        foreach (var key in model.Keys) reopened.Delete(key);
        reopened.Compact();
        reopened.Put("again", "x");
    }

    [Fact]
    public void A_batch_of_deletes_is_taken_and_one_with_a_put_is_not()
    {
        var disk = TestStore.NewDisk();
        disk.CapacityBytes = 600 << 10;
        using var store = KeyValueStore.Open(TestStore.Directory, Small(disk));
        Fill(store, new SortedDictionary<string, string>(StringComparer.Ordinal), 0, 200);
        AssertIsRefused(store);
        var batch = new WriteBatch();
        batch.Delete(TestStore.Bytes("0000000"));
        batch.Delete(TestStore.Bytes("0000001"));
        store.Write(batch);
        Assert.Null(store.Get("0000001"));
        batch.Put(TestStore.Bytes("z"), TestStore.Bytes("z"));
        Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => store.Write(batch)).Kind);
    }

    // Every file takes whole pages: what is kept must hold a few, however small memtables and tables are.
    static KeyValueOptions Small(SimulatedFileSystem disk) =>
        TestStore.Small(disk) with { TableBytes = 16 << 10, SpaceReserveBytes = 160 << 10, ManifestRewriteBytes = 4096 };

    void Run(string directory, KeyValueOptions options, int valueBytes)
    {
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(directory, options))
        {
            for (var cycle = 0; cycle < Cycles; cycle++)
            {
                var count = Fill(store, model, cycle, valueBytes);
                AssertHolds(store, model);
                // Few stay: what stays is written anew by merges, for which there is only what is kept.
                foreach (var key in model.Keys.Where(key => !key.EndsWith("77", StringComparison.Ordinal)).ToArray())
                {
                    store.Delete(TestStore.Bytes(key), Durability.Relaxed);
                    model.Remove(key);
                }

                AssertHolds(store, model);
                store.Compact();
                output.WriteLine(
                    $"cycle {cycle}: {count} values fit, {model.Count} stay, {store.GetStatistics().TableBytes} bytes of tables");
                Assert.True(count > 500 || options.FileSystem is null, $"only {count} values fit in cycle {cycle}");
            }

            Assert.Empty(store.Verify().Problems);
            Assert.Null(store.GetStatistics().LastBackgroundFailure);
        }

        using (var store = KeyValueStore.Open(directory, options)) AssertHolds(store, model);
    }

    /// <summary>
    /// Puts until the disk is full and stays so: the first refusal may be followed by merges that give space back. What was
    /// acknowledged is in the model.
    /// </summary>
    static int Fill(KeyValueStore store, SortedDictionary<string, string> model, int cycle, int valueBytes)
    {
        var wasRefused = false;
        for (var i = 0; i < MostPuts; i++)
        {
            var key = $"{(long)i * 7919 % 1_000_003:d7}";
            var value = $"{cycle}.{i}".PadLeft(valueBytes, '.');
            try
            {
                store.Put(TestStore.Bytes(key), Encoding.UTF8.GetBytes(value), Durability.Relaxed);
                model[key] = value;
                wasRefused = false;
            }
            catch (StorageException full)
            {
                Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
                if (wasRefused) return i;
                wasRefused = true;
            }
        }

        throw new InvalidOperationException($"The disk takes {MostPuts} values and is not full.");
    }

    static void AssertIsRefused(KeyValueStore store)
    {
        var refusal = Assert.Throws<StorageException>(() => store.Put("more", "x"));
        Assert.Equal(StorageErrorKind.NoSpace, refusal.Kind);
    }

    static void AssertHolds(KeyValueStore store, SortedDictionary<string, string> model)
    {
        using var cursor = store.Scan(KeyRange.All);
        foreach (var (key, value) in model)
        {
            Assert.True(cursor.MoveNext());
            Assert.Equal(key, Encoding.UTF8.GetString(cursor.Key));
            Assert.Equal(value, Encoding.UTF8.GetString(cursor.Value));
        }

        Assert.False(cursor.MoveNext());
    }
}
