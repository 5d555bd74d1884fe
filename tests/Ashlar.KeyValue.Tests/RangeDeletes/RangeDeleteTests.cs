using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Deleting all keys of a range at once.</summary>
public sealed class RangeDeleteTests : IDisposable
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    KeyValueStore store;

    public RangeDeleteTests() => store = Open();

    public void Dispose() => store.Dispose();

    [Fact]
    public void All_keys_from_the_start_to_before_the_end_go_and_no_others()
    {
        foreach (var key in new[] { "a", "b", "ba", "c", "d" }) store.Put(key, "1");
        store.DeleteRange("b"u8, "c"u8);
        Assert.Equal("a=1 c=1 d=1", store.ReadAll());
        Assert.Equal("d=1 c=1 a=1", store.ReadAll(ScanDirection.Backward));
        Assert.Null(store.Get("ba"));
    }

    [Theory, InlineData("all", ""), InlineData("before", "b=1 c=1"), InlineData("from", "a=1"), InlineData("prefix", "a=1 c=1")]
    public void Ranges_may_be_open_at_either_end(string kind, string left)
    {
        foreach (var key in new[] { "a", "b", "c" }) store.Put(key, "1");
        store.DeleteRange(kind switch
        {
            "all" => KeyRange.All,
            "before" => KeyRange.Before("b"u8),
            "from" => KeyRange.From("b"u8),
            _ => KeyRange.Prefix("b"u8),
        });
        Assert.Equal(left, store.ReadAll());
        Reopen();
        Assert.Equal(left, store.ReadAll());
        store.Flush();
        Assert.Equal(left, store.ReadAll());
    }

    [Fact]
    public void In_a_batch_what_comes_before_goes_and_what_comes_behind_stays()
    {
        store.Put("a", "old");
        var batch = new WriteBatch();
        batch.Put("b"u8, "before"u8);
        batch.DeleteRange(KeyRange.All);
        batch.Put("c"u8, "behind"u8);
        store.Write(batch);
        Assert.Equal("c=behind", store.ReadAll());
        store.Compact();
        Assert.Equal("c=behind", store.ReadAll());
    }

    [Fact]
    public void It_takes_the_same_space_however_many_keys_there_are()
    {
        Assert.Equal(LogBytesOfRangeDelete(1), LogBytesOfRangeDelete(3000));

        static long LogBytesOfRangeDelete(int keys)
        {
            using var other = KeyValueStore.Open("/other", TestStore.Small(TestStore.NewDisk()));
            for (var key = 0; key < keys; key++) other.Put($"{key:d5}", "1", Durability.Unflushed);
            var before = other.GetStatistics().LogBytesWritten;
            other.DeleteRange(KeyRange.All);
            return other.GetStatistics().LogBytesWritten - before;
        }
    }

    [Fact]
    public void A_range_without_keys_writes_nothing()
    {
        var batch = new WriteBatch();
        batch.DeleteRange("b"u8, "b"u8);
        batch.DeleteRange(KeyRange.Before([0]));
        Assert.Equal(0, batch.Count);
        Assert.Throws<ArgumentException>(() => store.DeleteRange("b"u8, "a"u8));
        store.DeleteRange("b"u8, "b"u8);
        Assert.Equal(0, store.GetStatistics().RangeDeletes);
    }

    [Fact]
    public void A_border_that_is_longer_than_any_key_is_refused()
    {
        var border = new byte[KeyValueOptions.KeyLimitBytes + 1];
        border[0] = 1;
        Assert.Throws<KeyLengthException>(() => store.DeleteRange(KeyRange.Before(border)));
        Assert.Throws<KeyLengthException>(() => store.DeleteRange(KeyRange.From(border)));
        store.DeleteRange(KeyRange.Before(border.AsSpan(1)));
    }

    [Fact]
    public async Task Asynchronous_deletes_of_ranges_do_the_same()
    {
        foreach (var key in new[] { "a", "b" }) store.Put(key, "1");
        await store.DeleteRangeAsync(KeyRange.Prefix("a"u8));
        Assert.Equal("b=1", store.ReadAll());
    }

    [Fact]
    public void Snapshots_and_cursors_of_before_go_on_seeing_what_they_saw()
    {
        for (var key = 0; key < 200; key++) store.Put($"{key:d3}", "1");
        using var snapshot = store.CreateSnapshot();
        using var cursor = store.Scan(KeyRange.All);
        for (var step = 0; step < 50; step++) cursor.MoveNext();
        store.DeleteRange(KeyRange.All);
        store.Compact();
        Assert.Equal("", store.ReadAll());
        Assert.Equal(200, snapshot.Scan(KeyRange.All).ReadAll().Split(' ').Length);
        var left = 0;
        while (cursor.MoveNext()) left++;
        Assert.Equal(150, left);
        snapshot.Dispose();
        store.Compact();
        Assert.Equal((0, 0), (store.GetStatistics().TableEntries, store.GetStatistics().DeletedRanges));
    }

    [Fact]
    public void A_range_stays_as_long_as_a_table_holds_what_it_deleted()
    {
        store.Put("a", "old");
        using var snapshot = store.CreateSnapshot();
        store.DeleteRange("a"u8, "b"u8);
        store.Put("z", "new");
        store.Compact(); // Into one table, with what is older than the range, for the snapshot, and with what is newer.
        Assert.Equal("z=new", store.ReadAll());
        Assert.Equal("old", snapshot.Get("a"));
        Assert.Equal(1, store.GetStatistics().DeletedRanges);
    }

    [Fact]
    public void Tables_in_the_range_stay_for_a_snapshot_that_sees_them()
    {
        store.Put("a", "1");
        store.Flush();
        using var snapshot = store.CreateSnapshot();
        store.DeleteRange(KeyRange.All);
        store.Flush();
        Assert.Equal("a=1", snapshot.Scan(KeyRange.All).ReadAll());
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_range_outlives_the_memtable_that_it_was_deleted_in()
    {
        foreach (var key in new[] { "a", "b", "c" }) store.Put(key, "1");
        store.Flush();
        store.DeleteRange("b"u8, "c"u8);
        store.Flush();
        Assert.Equal("a=1 c=1", store.ReadAll());
        Reopen();
        Assert.Equal("a=1 c=1", store.ReadAll());
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Tables_that_lie_in_the_range_go_without_being_read_and_the_range_with_them(int merges)
    {
        for (var key = 0; key < 3000; key++) store.Put($"{key:d5}", new string('v', 40), Durability.Unflushed);
        store.Compact();
        for (; merges > 0; merges--) // Merges and collection take turns: whose it is next does not matter.
        {
            store.Put("00000", "1");
            store.Flush();
        }

        var before = store.GetStatistics();
        Assert.True(before.TableBytes > 100_000);
        store.DeleteRange(KeyRange.All);
        store.Flush();
        var after = store.GetStatistics();
        Assert.Equal(0, after.TableBytes);
        Assert.Equal(before.CompactionBytesRead, after.CompactionBytesRead);
        Assert.Equal(0, after.DeletedRanges);
        Assert.True(after.TablesDropped > 10);
    }

    [Fact]
    public void A_range_that_was_deleted_again_and_more_of_it_is_forgotten()
    {
        store.Put("zzz", "1");
        store.Compact();
        for (var round = 1; round <= 200; round++)
        {
            store.Put($"{round:d5}", "1");
            store.DeleteRange(KeyRange.Before(TestStore.Bytes($"{round:d5}x")));
            if (round % 20 == 0) store.Flush();
        }

        Assert.InRange(store.GetStatistics().DeletedRanges, 0, 2);
        Assert.Equal("zzz=1", store.ReadAll());
    }

    [Fact]
    public void Thousands_of_deleted_ranges_are_read_through_and_go_with_merges()
    {
        Reopen(options => options with { MemTableBytes = 1 << 20, TableBytes = 64 << 10 });
        for (var key = 0; key < 4000; key++) store.Put($"{key:d5}", "1", Durability.Unflushed);
        store.Compact();
        for (var key = 0; key < 4000; key += 2)
            store.DeleteRange(TestStore.Bytes($"{key:d5}"), TestStore.Bytes($"{key:d5}x"), Durability.Unflushed);
        Assert.Equal(2000, store.ReadAll().Split(' ').Length);
        Assert.Null(store.Get("01000"));
        Assert.Equal("1", store.Get("01001"));
        store.Flush();
        Assert.InRange(store.GetStatistics().DeletedRanges, 0, 64);
        Assert.Equal(2000, store.ReadAll().Split(' ').Length);
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void A_batch_deletes_so_many_ranges_and_no_more()
    {
        var batch = BatchOf(WriteBatch.MaxRangeDeletes);
        var copy = new WriteBatch();
        foreach (var entry in batch) copy.Add(entry);
        var refusal = Assert.Throws<TooManyRangeDeletesException>(() => batch.DeleteRange("x"u8, "y"u8));
        Assert.Equal(WriteBatch.MaxRangeDeletes, refusal.Limit);
        Assert.Throws<TooManyRangeDeletesException>(void () =>
        {
            foreach (var entry in BatchOf(1)) copy.Add(entry);
        });
        Assert.Equal((WriteBatch.MaxRangeDeletes, batch.LengthBytes), (batch.Count, copy.LengthBytes));
        batch.Put("x"u8, "1"u8);
        store.Put("00001", "1");
        store.Write(batch);
        Assert.Equal("x=1", store.ReadAll());
        batch.Clear();
        batch.DeleteRange("x"u8, "y"u8);
        store.Write(batch);
        Assert.Equal("", store.ReadAll());
    }

    [Fact]
    public void A_memtable_holds_no_more_ranges_than_a_batch()
    {
        Reopen(options => options with { MemTableBytes = 1 << 20, LogSegmentBytes = 1 << 20 });
        store.Write(BatchOf(WriteBatch.MaxRangeDeletes - 10));
        store.Write(BatchOf(2));
        Assert.Equal(0, store.GetStatistics().Flushes);
        store.Write(BatchOf(20));
        Assert.Equal(1, store.GetStatistics().Flushes);
        store.Write(BatchOf(WriteBatch.MaxRangeDeletes - 1));
        Assert.Equal(2, store.GetStatistics().Flushes);
    }

    [Fact]
    public void More_ranges_than_can_be_remembered_are_refused_while_a_snapshot_keeps_them()
    {
        store.Put("00000", "first");
        store.Put("99999", "last");
        store.Compact();
        var snapshot = store.CreateSnapshot();
        var written = 0;
        var refusal = Assert.Throws<DeletedRangesLimitException>(void () =>
        {
            for (; written < 100; written++)
            {
                var batch = new WriteBatch();
                for (var number = 0; number < WriteBatch.MaxRangeDeletes; number++)
                {
                    var key = (written * WriteBatch.MaxRangeDeletes) + number + 1;
                    batch.DeleteRange(TestStore.Bytes($"{key:d5}"), TestStore.Bytes($"{key:d5}x"));
                }

                store.Write(batch, Durability.Unflushed);
            }
        });
        Assert.Equal((16, 16 * WriteBatch.MaxRangeDeletes, refusal.Limit), (written, refusal.Limit, refusal.Count));
        Assert.Equal(snapshot.Sequence, refusal.HeldSequence);
        Assert.Equal("first", snapshot.Get("00000"));
        store.Put("00001", "put"); // Others go on.
        snapshot.Dispose();
        store.Flush();
        Assert.InRange(store.GetStatistics().DeletedRanges, 0, WriteBatch.MaxRangeDeletes);
        store.DeleteRange(KeyRange.Before("00001"u8));
        Assert.Equal("00001=put 99999=last", store.ReadAll());
    }

    [Fact]
    public void A_recovery_remembers_only_ranges_of_which_something_may_be_left()
    {
        var recording = new SimulatedFileSystem();
        using var dying = KeyValueStore.Open(TestStore.Directory, TestStore.Small(recording));
        dying.Put("a", "1");
        dying.Put("b", "1");
        dying.Flush();
        dying.DeleteRange("x"u8, "z"u8); // Where no table has anything.
        dying.DeleteRange("a"u8, "aa"u8); // Replaced by the next.
        dying.DeleteRange("a"u8, "b"u8);
        dying.Sync();
        var next = recording.LosePower(1);
        using var recovered = KeyValueStore.Open(TestStore.Directory, TestStore.Small(next));
        Assert.Equal("b=1", recovered.ReadAll());
        Assert.Equal(1, recovered.GetStatistics().DeletedRanges);
    }

    [Fact]
    public void Values_at_the_border_of_a_range_are_given_back_with_it()
    {
        Reopen(options => options with { LogSegmentBytes = 64 << 10, MemTableBytes = 1 << 20, TableBytes = 1 << 20 });
        for (var key = 0; key < 400; key++) store.Put($"{key:d5}", new string('v', 1000), Durability.Unflushed);
        store.Compact();
        Assert.Equal(1, store.GetStatistics().Levels.Sum(level => level.Tables));
        store.DeleteRange("00010"u8, "00390"u8);
        store.Flush();
        Assert.InRange(store.GetStatistics().ReferencedValueBytes, 20_000, 25_000);
        Assert.Equal(0, store.GetStatistics().DeletedRanges);
    }

    [Fact]
    public void A_table_of_which_ranges_cover_more_than_half_gives_that_back()
    {
        FillOneTable();
        var before = store.GetStatistics();
        store.DeleteRange("00100"u8, "00400"u8); // Not enough alone.
        store.Flush();
        Assert.Equal(before.TableEntries, store.GetStatistics().TableEntries);
        store.DeleteRange("00500"u8, "00900"u8);
        store.Flush();
        var after = store.GetStatistics();
        Assert.Equal((300, 0), (after.TableEntries, after.DeletedRanges));
        Assert.InRange(after.TableBytes, 1, before.TableBytes / 2);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_ranges_cover_does_not_count_as_live_and_what_is_put_there_again_does(bool isPutAgain)
    {
        FillOneTable();
        var before = store.GetStatistics().LiveBytes;
        store.DeleteRange("00300"u8, "00600"u8);
        for (var key = 300; isPutAgain && key < 600; key++) store.Put($"{key:d5}", new string('n', 40), Durability.Unflushed);
        store.Flush();
        Assert.InRange((double)store.GetStatistics().LiveBytes / before, isPutAgain ? 0.9 : 0.6, isPutAgain ? 1.15 : 0.8);
    }

    [Fact]
    public void What_ranges_cover_counts_as_live_while_a_snapshot_sees_it()
    {
        FillOneTable();
        var before = store.GetStatistics().LiveBytes;
        using var snapshot = store.CreateSnapshot();
        store.DeleteRange("00100"u8, "00900"u8);
        store.Flush();
        Assert.InRange((double)store.GetStatistics().LiveBytes / before, 0.9, 1.1);
        Assert.Equal(1000, store.GetStatistics().TableEntries);
    }

    [Fact]
    public void Values_in_segments_are_given_back_with_their_range()
    {
        Reopen(options => options with { LogSegmentBytes = 64 << 10 });
        for (var key = 0; key < 400; key++) store.Put($"{key:d5}", new string('v', 1000), Durability.Unflushed);
        store.Flush();
        Assert.True(store.GetStatistics().ValueBytes > 300_000);
        store.DeleteRange(KeyRange.All);
        store.Flush();
        Assert.Equal(0, store.GetStatistics().ReferencedValueBytes);
        Assert.InRange(store.GetStatistics().ValueBytes, 0, 64 << 10);
    }

    [Fact]
    public void A_scan_passes_over_a_deleted_range_in_tables_by_a_few_blocks()
    {
        Reopen(options => options with { MemTableBytes = 1 << 20, TableBytes = 1 << 20 });
        for (var key = 0; key < 5000; key++) store.Put($"{key:d5}", "1", Durability.Unflushed);
        store.Compact();
        using var held = store.CreateSnapshot(); // So that the tables stay.
        store.DeleteRange("00100"u8, "04900"u8);
        store.Flush();
        foreach (var direction in new[] { ScanDirection.Forward, ScanDirection.Backward })
        {
            var before = store.GetStatistics();
            Assert.Equal(200, store.Scan(KeyRange.All, direction).ReadAll().Split(' ').Length);
            var after = store.GetStatistics();
            Assert.InRange(after.CacheHits + after.CacheMisses - before.CacheHits - before.CacheMisses, 1, 40);
        }
    }

    [Fact]
    public void On_a_full_disk_a_range_can_be_deleted_and_gives_its_space_back()
    {
        Reopen(options => options with { SpaceReserveBytes = 128 << 10, MemTableBytes = 32 << 10, LogSegmentBytes = 32 << 10 });
        disk.CapacityBytes = disk.CapacityBytes - disk.GetFreeSpaceBytes("/") + (1 << 20);
        var full = Assert.Throws<StorageException>(void () =>
        {
            for (var key = 0; ; key++) store.Put($"{key:d6}", new string('v', 400));
        });
        Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
        store.DeleteRange(KeyRange.All);
        store.Flush();
        store.Put("again", "1");
        Assert.Equal("again=1", store.ReadAll());
    }

    [Fact]
    public void A_store_says_that_programs_must_know_of_deleted_ranges_before_one_is_in_its_log()
    {
        Assert.Equal(StoreFeatures.None, FeaturesOf(disk));
        store.Put("a", "1");
        Assert.Equal(StoreFeatures.None, FeaturesOf(disk));
        store.DeleteRange(KeyRange.All);
        Assert.Equal(StoreFeatures.RangeDeletes, FeaturesOf(disk));
        store.Compact();
        Reopen();
        Assert.Equal(StoreFeatures.RangeDeletes, FeaturesOf(disk));
    }

    [Fact]
    public void A_feature_of_a_later_version_is_refused() => Assert.Throws<UnsupportedFormatException>(
        () => ManifestEdit.Decode([16, 0, 0, 0, 0, 0, 0, 0, 0x80], "/MANIFEST", 0));

    [Fact]
    public void A_backup_and_a_restore_to_a_moment_know_deleted_ranges()
    {
        Reopen(options => options with { LogArchiveDirectory = "/archive" });
        foreach (var key in new[] { "a", "b", "c" }) store.Put(key, "1");
        store.Flush();
        store.DeleteRange(KeyRange.Before("b"u8));
        store.Flush();
        var options = TestStore.Small(disk);
        var backup = store.BackUp("/backups");
        store.Put("d", "1");
        store.DeleteRange("b"u8, "d"u8);
        var sequence = store.VisibleSequence;
        store.DeleteRange(KeyRange.All);
        store.ArchiveLog();
        var backups = new KeyValueBackups("/backups", options);
        backups.Restore(backup.Number, "/restored");
        using (var restored = KeyValueStore.Open("/restored", options)) Assert.Equal("b=1 c=1", restored.ReadAll());
        backups.Restore(RestorePoint.AtSequence(sequence), new LogArchive("/archive", options), "/then");
        using (var then = KeyValueStore.Open("/then", options)) Assert.Equal("d=1", then.ReadAll());
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_repair_knows_ranges_by_the_manifest_and_by_the_log(bool hasManifest)
    {
        using (var snapshot = store.CreateSnapshot())
        {
            foreach (var key in new[] { "a", "b", "c" }) store.Put(key, "1");
            store.Flush();
            using var held = store.CreateSnapshot();
            if (hasManifest)
            {
                store.DeleteRange(KeyRange.Before("b"u8));
                store.Flush();
            }

            store.DeleteRange("b"u8, "c"u8);
        }

        store.Dispose();
        if (!hasManifest) disk.Delete($"{TestStore.Directory}/MANIFEST");
        KeyValueRepair.Run(TestStore.Directory, "/repaired", TestStore.Small(disk));
        using var repaired = KeyValueStore.Open("/repaired", TestStore.Small(disk));
        Assert.Equal(hasManifest ? "c=1" : "a=1 c=1", repaired.ReadAll());
    }

    [Fact]
    public void An_inspection_shows_what_was_deleted()
    {
        store.Put("a", "1");
        store.Flush();
        using var held = store.CreateSnapshot();
        store.DeleteRange("a"u8, "b"u8);
        store.Sync();
        var log = new StringWriter();
        var newest = disk.List(TestStore.Directory).Where(name => name.StartsWith("log-", StringComparison.Ordinal)).Max();
        KeyValueInspector.Inspect($"{TestStore.Directory}/{newest}", log, TestStore.Small(disk));
        Assert.Contains("2 delete from \"a\" to before \"b\"", log.ToString(), StringComparison.Ordinal);
        store.Flush();
        var manifest = new StringWriter();
        KeyValueInspector.Inspect($"{TestStore.Directory}/MANIFEST", manifest, TestStore.Small(disk));
        Assert.Contains("+ deleted from \"a\" to before \"b\" at sequence 2", manifest.ToString(), StringComparison.Ordinal);
        Assert.Contains("features RangeDeletes", manifest.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_says_what_it_deletes_and_can_be_copied()
    {
        var batch = new WriteBatch();
        batch.DeleteRange("a"u8, "b"u8);
        batch.DeleteRange(KeyRange.From("c"u8));
        var copy = new WriteBatch();
        var said = new List<string>();
        foreach (var entry in batch)
        {
            copy.Add(entry);
            Assert.True(entry.IsRangeDelete && !entry.IsDelete && entry.Value.IsEmpty && entry.ExpiresAt is null);
            said.Add($"{(char)entry.Key[0]}-{System.Text.Encoding.UTF8.GetString(entry.RangeEnd)}");
        }

        Assert.Equal(["a-b", "c-"], said);
        foreach (var key in new[] { "a", "b", "c" }) store.Put(key, "1");
        store.Write(copy);
        Assert.Equal("b=1", store.ReadAll());
    }

    static WriteBatch BatchOf(int ranges)
    {
        var batch = new WriteBatch();
        for (var number = 0; number < ranges; number++)
            batch.DeleteRange(TestStore.Bytes($"{number:d5}"), TestStore.Bytes($"{number:d5}x"));
        return batch;
    }

    [Fact]
    public void A_verification_finds_rot_in_the_end_of_a_range_in_a_segment_that_is_kept_for_values()
    {
        Reopen(options => options with { SeparatedValueBytes = 100 });
        store.Put("a", new string('v', 200));
        store.DeleteRange("b"u8, "range end"u8);
        store.Flush();
        Assert.True(store.Verify().IsClean);
        store.Dispose();
        var image = StoreImage.Take(disk);
        var (name, log) = image.Files.First(file =>
            file.Key.StartsWith("log-", StringComparison.Ordinal) && file.Value.AsSpan().IndexOf("range end"u8) > 0);
        log[log.AsSpan().IndexOf("range end"u8)] ^= 1;
        using var damaged = KeyValueStore.Open(TestStore.Directory, TestStore.Small(image.ToDisk()) with { SeparatedValueBytes = 100 });
        Assert.Contains(name, Assert.Single(damaged.Verify().Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_who_write_beside_one_that_deletes_a_range_need_no_feature_for_it()
    {
        store.Dispose();
        var faulty = new FaultyFileSystem(disk);
        store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty, inline: false) with { MaxInFlightSyncs = 1 });
        store.Put("base", "0");
        using var began = new SemaphoreSlim(0);
        using var mayReturn = new SemaphoreSlim(0);
        disk.DuringSync = _ =>
        {
            began.Release();
            mayReturn.Wait();
        };
        var first = store.PutAsync("first"u8, "1"u8).AsTask();
        await began.WaitAsync();
        var put = store.PutAsync("a"u8, "1"u8).AsTask();
        var deleted = store.DeleteRangeAsync(KeyRange.All).AsTask();
        var deletedOne = store.DeleteAsync("first"u8).AsTask();
        var groups = store.GetStatistics().CommitGroups;
        faulty.Add(new FaultRule(FaultOperations.Write, FaultKind.NoSpace) { PathPattern = "*MANIFEST*", IsSticky = true });
        disk.DuringSync = null;
        mayReturn.Release();
        await first;
        await put;
        await deletedOne;
        Assert.Equal(StorageErrorKind.NoSpace, (await Assert.ThrowsAsync<StorageException>(() => deleted)).Kind);
        Assert.Equal(groups + 1, store.GetStatistics().CommitGroups); // They were together.
        Assert.Equal("a=1 base=0", store.ReadAll());
    }

    static StoreFeatures FeaturesOf(SimulatedFileSystem disk)
    {
        using var manifest = Manifest.Read(
            new StoreFiles(disk, TestStore.Directory), TestStore.Small(disk) with { ReadOnly = true });
        return manifest.State.Features;
    }

    void FillOneTable()
    {
        Reopen(options => options with { MemTableBytes = 1 << 20, TableBytes = 1 << 20 });
        for (var key = 0; key < 1000; key++) store.Put($"{key:d5}", new string('v', 40), Durability.Unflushed);
        store.Compact();
    }

    void Reopen(Func<KeyValueOptions, KeyValueOptions>? change = null)
    {
        store.Dispose();
        store = Open(change);
    }

    KeyValueStore Open(Func<KeyValueOptions, KeyValueOptions>? change = null)
    {
        var options = TestStore.Small(disk) with { RelaxedLossTime = TimeSpan.FromDays(10) };
        return KeyValueStore.Open(TestStore.Directory, change?.Invoke(options) ?? options);
    }
}
