using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any")]
public sealed class LogArchiveTests : IDisposable
{
    const string Archive = "/archive";
    const string Backups = "/backups";
    const string Restored = "/restored";

    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly SimulatedClock clock = new();
    readonly KeyValueOptions options;
    readonly KeyValueBackups backups;
    readonly LogArchive archive;
    KeyValueStore store;

    public LogArchiveTests()
    {
        options = TestStore.Small(disk) with { SeparatedValueBytes = 90, LogArchiveDirectory = Archive, TimeProvider = clock };
        store = KeyValueStore.Open(TestStore.Directory, options);
        backups = new KeyValueBackups(Backups, options);
        archive = new LogArchive(Archive, options);
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void What_was_archived_after_a_backup_is_restored_with_it()
    {
        Fill(0, 100);
        store.BackUp(Backups);
        Fill(50, 400);
        store.Delete("key0007");
        store.ArchiveLog();
        var expected = store.ReadAll();
        Fill(400, 500);

        var point = backups.Restore(RestorePoint.AtSequence(451), archive, Restored);
        Assert.Equal((1UL, 451UL), (point.BackupNumber, point.Sequence));
        Assert.Equal(archive.Inspect().Parts.Count(part => part is { LastSequence: > 100, FirstSequence: <= 451 }), point.Parts);
        Assert.Equal(expected, Read(Restored));
    }

    [Fact]
    public void A_store_is_restored_as_it_was_at_a_time()
    {
        store.BackUp(Backups);
        Fill(0, 10);
        clock.Advance(TimeSpan.FromHours(1));
        Fill(10, 20);
        var (time, expected) = (clock.GetUtcNow(), store.ReadAll());
        clock.Advance(TimeSpan.FromMicroseconds(1));
        store.Delete("key0003"); // By mistake.
        store.ArchiveLog();

        Assert.Equal(time, backups.Restore(RestorePoint.AtTime(time), archive, Restored).CommittedAt);
        Assert.Equal(expected, Read(Restored));
        Assert.Null(Open(Restored, "/latest").Get("key0003"));
    }

    [Fact]
    public void A_batch_is_restored_as_a_whole_or_not_at_all()
    {
        store.BackUp(Backups);
        store.Put("before", "1");
        var batch = new WriteBatch();
        for (var i = 0; i < 5; i++) batch.Put(TestStore.Bytes($"key{i}"), "x"u8);
        store.Write(batch);
        store.ArchiveLog();

        Assert.Equal(1UL, backups.Restore(RestorePoint.AtSequence(4), archive, Restored).Sequence);
        Assert.Equal("before=1", Read(Restored));
        Assert.Equal(6UL, backups.Restore(RestorePoint.AtSequence(6), archive, "/whole").Sequence);
        Assert.Equal(6, Read("/whole").Split(' ').Length);
    }

    [Fact]
    public void The_restored_store_has_the_sequences_of_the_original_and_a_history_of_its_own()
    {
        store.BackUp(Backups);
        Fill(0, 30);
        store.ArchiveLog();
        var point = backups.Restore(RestorePoint.Latest, archive, Restored);
        using var restored = KeyValueStore.Open(Restored, options with { LogArchiveDirectory = null });
        Assert.Equal(30UL, restored.VisibleSequence);
        Assert.Equal(store.StoreId, restored.StoreId);
        Assert.Equal(point.HistoryId, restored.HistoryId);
        Assert.NotEqual(store.HistoryId, restored.HistoryId);
        Assert.Equal(store.StoreId, store.HistoryId);
    }

    [Fact]
    public void A_restored_store_can_be_backed_up_archived_and_restored_in_turn()
    {
        store.BackUp(Backups);
        Fill(0, 30);
        store.ArchiveLog();
        backups.Restore(RestorePoint.AtSequence(20), archive, Restored);
        string expected;
        using (var restored = KeyValueStore.Open(Restored, options with { LogArchiveDirectory = "/archive2" }))
        {
            restored.BackUp(Backups);
            restored.Put("later", "1");
            restored.ArchiveLog();
            expected = restored.ReadAll();
        }

        var again = backups.Restore(RestorePoint.Latest, new LogArchive("/archive2", options), "/again");
        Assert.Equal((2UL, 21UL), (again.BackupNumber, again.Sequence));
        Assert.Equal(expected, Read("/again"));
        Assert.Equal(1UL, backups.Restore(RestorePoint.Latest, archive, "/original").BackupNumber);
    }

    [Fact]
    public void Nothing_waits_longer_than_the_interval_even_unflushed()
    {
        store.BackUp(Backups);
        store.Put("key", "1", Durability.Unflushed);
        Assert.Equal(0UL, store.GetStatistics().ArchivedSequence);
        clock.Advance(options.LogArchiveInterval);
        var archived = store.GetStatistics();
        Assert.Equal((1UL, 1L, 0L), (archived.ArchivedSequence, archived.ArchiveParts, archived.ArchiveLagBytes));
        Assert.Equal("key=1", Read(Open(Restored)));
        clock.Advance(options.LogArchiveInterval * 10);
        Assert.Single(archive.Inspect().Parts); // Nothing new, nothing written.
    }

    [Fact]
    public void The_archive_is_written_by_a_thread_of_its_own()
    {
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, options with { BackgroundInline = false });
        store.BackUp(Backups);
        for (var i = 0; i < 5; i++)
        {
            Fill(i * 100, (i * 100) + 200);
            store.Flush();
        }

        store.ArchiveLog();
        Assert.Equal(0, store.GetStatistics().ArchiveLagBytes);
        Assert.Empty(archive.Verify().Problems);
        Assert.Equal(store.ReadAll(), Read(Open(Restored)));
    }

    [Fact]
    public void Closing_the_store_archives_the_rest()
    {
        store.BackUp(Backups);
        Fill(0, 20);
        var expected = store.ReadAll();
        store.Dispose();
        Assert.Equal(expected, Read(Open(Restored)));
        store = KeyValueStore.Open(TestStore.Directory, options);
        store.Put("more", "1");
        store.ArchiveLog();
        var report = archive.Verify();
        Assert.Empty(report.Problems);
        Assert.Equal((2, 0UL, 21UL), (report.Parts.Count, report.AfterSequence, report.LastSequence));
    }

    [Fact]
    public void Log_that_the_archive_does_not_have_stays_on_disk_whatever_becomes_of_its_entries()
    {
        store.BackUp(Backups);
        var faults = new FaultyFileSystem(disk);
        Reopen(options with { FileSystem = faults });
        faults.Add(new FaultRule(FaultOperations.All, FaultKind.InputOutputError) { PathPattern = Archive + "*", IsSticky = true });
        for (var i = 0; i < 10; i++) Fill(0, 100);
        store.Compact();
        clock.Advance(options.LogArchiveInterval);
        var statistics = store.GetStatistics();
        Assert.True(statistics.ArchiveLagBytes > 50_000, $"{statistics.ArchiveLagBytes}");
        Assert.True(statistics.ArchiveLag > TimeSpan.Zero);
        Assert.Contains(Archive, statistics.LastArchiveFailure, StringComparison.Ordinal);
        Assert.Throws<StorageException>(store.ArchiveLog);

        faults.Heal();
        clock.Advance(options.LogArchiveInterval);
        statistics = store.GetStatistics();
        Assert.Equal((0L, TimeSpan.Zero, null), (statistics.ArchiveLagBytes, statistics.ArchiveLag, statistics.LastArchiveFailure));
        var logs = disk.List(TestStore.Directory).Count(name => name.StartsWith("log-", StringComparison.Ordinal));
        Assert.Equal(statistics.LogSegments + statistics.ValueSegments, logs);
        Assert.Equal(store.ReadAll(), Read(Open(Restored)));
    }

    [Fact]
    public void Log_is_kept_for_the_archive_also_while_the_store_is_open_without_it()
    {
        store.BackUp(Backups);
        Reopen(options with { LogArchiveDirectory = null });
        for (var i = 0; i < 5; i++) Fill(0, 100);
        store.Compact();
        Assert.True(store.GetStatistics().ArchiveLagBytes > 20_000);
        Assert.Throws<InvalidOperationException>(store.ArchiveLog);
        Reopen(options);
        Assert.Equal(0, store.GetStatistics().ArchiveLagBytes);
        Assert.Equal(store.ReadAll(), Read(Open(Restored)));
    }

    [Fact]
    public void An_archive_that_is_ended_needs_no_log_any_more_and_is_not_continued()
    {
        store.BackUp(Backups);
        Fill(0, 10);
        Reopen(options with { LogArchiveDirectory = null });
        for (var i = 0; i < 5; i++) Fill(0, 100);
        store.Compact();
        store.EndLogArchive();
        store.EndLogArchive();
        Assert.Equal(0, store.GetStatistics().ArchiveLagBytes);
        Assert.Equal(
            store.GetStatistics().ValueSegments,
            disk.List(TestStore.Directory).Count(name => name.StartsWith("log-", StringComparison.Ordinal)));
        Reopen(options);
        Fill(0, 10);
        Assert.Equal(LogArchiveProblem.Foreign, Assert.Throws<LogArchiveException>(store.ArchiveLog).Problem);
        Reopen(options with { LogArchiveDirectory = "/archive2" });
        store.ArchiveLog();
        // The new archive does not reach back to the backup.
        var gap = Assert.Throws<LogArchiveException>(() =>
            backups.Restore(RestorePoint.Latest, new LogArchive("/archive2", options), Restored));
        Assert.Equal(LogArchiveProblem.Gap, gap.Problem);
        store.BackUp(Backups);
        Assert.Equal(2UL, backups.Restore(RestorePoint.Latest, new LogArchive("/archive2", options), Restored).BackupNumber);
    }

    [Fact]
    public void Archiving_may_begin_with_a_store_that_is_old()
    {
        const string Old = "/old";
        using (var old = KeyValueStore.Open(Old, options with { LogArchiveDirectory = null }))
        {
            for (var i = 0; i < 300; i++) old.Put($"key{i:d4}", new string('o', 100));
            old.Flush();
            old.Put("in the log", "1");
            old.BackUp(Backups);
        }

        using (var old = KeyValueStore.Open(Old, options with { LogArchiveDirectory = "/archive2" })) old.Put("later", "1");
        var second = new LogArchive("/archive2", options);
        Assert.Equal(302UL, backups.Restore(RestorePoint.Latest, second, Restored).Sequence);
        Assert.Equal(300UL, second.Inspect().AfterSequence);
    }

    [Fact]
    public void A_missing_part_is_named_and_nothing_is_restored()
    {
        ArchiveFiveParts();
        var third = archive.Inspect().Parts[2];
        disk.Delete(third.FilePath);
        var gap = Assert.Throws<LogArchiveException>(() => backups.Restore(RestorePoint.Latest, archive, Restored));
        Assert.Equal(LogArchiveProblem.Gap, gap.Problem);
        Assert.Contains("part 3 is missing, with the writes between sequence 20 and 31", gap.Message, StringComparison.Ordinal);
        Assert.False(disk.DirectoryExists(Restored));
        Assert.Equal(gap.Message, Assert.Single(archive.Inspect().Problems).Message);
        Assert.Equal(20UL, backups.Restore(RestorePoint.AtSequence(20), archive, Restored).Sequence);
    }

    [Fact]
    public void Missing_parts_that_a_newer_backup_has_do_not_matter()
    {
        ArchiveFiveParts();
        store.BackUp(Backups);
        store.Put("later", "1");
        store.ArchiveLog();
        foreach (var part in archive.Inspect().Parts.Take(4)) disk.Delete(part.FilePath);
        Assert.Equal(2UL, backups.Restore(RestorePoint.Latest, archive, Restored).BackupNumber);
        Assert.Equal(store.ReadAll(), Read(Restored));
        var gap = Assert.Throws<LogArchiveException>(() => backups.Restore(RestorePoint.AtSequence(49), archive, "/other"));
        Assert.Contains("part 4 and those before it are missing", gap.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_beginning_of_the_archive_is_missed_as_well_as_its_middle()
    {
        ArchiveFiveParts();
        disk.Delete(archive.Inspect().Parts[0].FilePath);
        var gap = Assert.Throws<LogArchiveException>(() => backups.Restore(RestorePoint.Latest, archive, Restored));
        Assert.Equal(LogArchiveProblem.Gap, gap.Problem);
    }

    [Fact]
    public void A_moment_that_nothing_covers_is_refused()
    {
        Fill(0, 10);
        store.BackUp(Backups);
        clock.Advance(TimeSpan.FromSeconds(1));
        Fill(10, 20);
        store.ArchiveLog();
        foreach (var point in new[]
        {
            RestorePoint.AtSequence(9), RestorePoint.AtSequence(21),
            RestorePoint.AtTime(clock.GetUtcNow().AddSeconds(-2)), RestorePoint.AtTime(clock.GetUtcNow().AddSeconds(1)),
        })
        {
            var error = Assert.Throws<LogArchiveException>(() => backups.Restore(point, archive, Restored));
            Assert.Equal(LogArchiveProblem.NotCovered, error.Problem);
        }

        Assert.False(disk.DirectoryExists(Restored));
        Assert.Equal(10UL, backups.Restore(RestorePoint.AtSequence(10), archive, Restored).Sequence);
    }

    [Fact]
    public void Damage_to_any_byte_of_the_archive_is_noticed_and_never_restored()
    {
        store.BackUp(Backups);
        Fill(0, 3);
        store.ArchiveLog();
        Fill(3, 6);
        store.ArchiveLog();
        foreach (var part in archive.Inspect().Parts)
        {
            var good = Bytes(part.FilePath);
            for (var i = 0; i < good.Length; i++)
            {
                var bad = (byte[])good.Clone();
                bad[i] ^= (byte)(1 << (i % 8));
                Write(part.FilePath, bad);
                var error = Assert.ThrowsAny<AshlarException>(() => backups.Restore(RestorePoint.Latest, archive, Restored));
                Assert.True(error is CorruptDataException or UnsupportedFormatException, error.ToString());
                Assert.Contains(part.FilePath, error.Message, StringComparison.Ordinal);
                Assert.NotEmpty(archive.Verify().Problems);
                Assert.Equal(["LOCK"], disk.DirectoryExists(Restored) ? disk.List(Restored) : ["LOCK"]);
            }

            foreach (var length in new[] { 0, 100, ArchivePart.HeadBytes, good.Length - 1 })
            {
                Write(part.FilePath, good[..length]);
                Assert.Throws<CorruptDataException>(() => backups.Restore(RestorePoint.Latest, archive, Restored));
            }

            Write(part.FilePath, good);
        }

        Assert.Equal(store.ReadAll(), Read(Open(Restored)));
    }

    [Fact]
    public void A_restored_store_does_not_archive_into_the_archive_of_the_original()
    {
        Fill(0, 10);
        store.BackUp(Backups);
        store.Dispose();
        backups.Restore(1, Restored);
        using (var restored = KeyValueStore.Open(Restored, options))
        {
            restored.Put("other", "1");
            Assert.Equal(LogArchiveProblem.Foreign, Assert.Throws<LogArchiveException>(restored.ArchiveLog).Problem);
        }

        Assert.Equal(10UL, archive.Inspect().LastSequence);
        Assert.Empty(archive.Verify().Problems);
    }

    [Fact]
    public void A_copy_of_the_store_cannot_go_on_with_the_archive_beside_the_original()
    {
        Fill(0, 10);
        store.Dispose();
        CopyStore("/copy");
        using (var copy = KeyValueStore.Open("/copy", options)) copy.Put("copy", "1");
        store = KeyValueStore.Open(TestStore.Directory, options);
        store.Put("original", "1");
        Assert.Equal(LogArchiveProblem.Foreign, Assert.Throws<LogArchiveException>(store.ArchiveLog).Problem);
        Assert.Empty(archive.Verify().Problems);
    }

    [Fact]
    public void A_copy_of_an_open_store_cannot_go_on_where_the_original_archived_more_of_the_same_segment()
    {
        Fill(0, 10);
        store.Sync();
        CopyStore("/copy");
        Fill(10, 12);
        store.Dispose();
        using var copy = KeyValueStore.Open("/copy", options);
        copy.Put("copy", "1");
        copy.Put("copy", "2");
        copy.Put("copy", "3");
        Assert.Equal(LogArchiveProblem.Foreign, Assert.Throws<LogArchiveException>(copy.ArchiveLog).Problem);
        Assert.Equal(12UL, archive.Inspect().LastSequence);
    }

    [Fact]
    public void What_is_restored_is_read_as_a_whole_before_it_counts()
    {
        Fill(0, 100);
        store.Flush();
        store.BackUp(Backups);
        store.Put("later", "1");
        store.ArchiveLog();
        var rotting = options with { FileSystem = new RottingTables(disk, Restored) };
        var error = Assert.Throws<CorruptDataException>(
            () => new KeyValueBackups(Backups, rotting).Restore(RestorePoint.Latest, new LogArchive(Archive, rotting), Restored));
        Assert.Contains(StoreFiles.TableName(0)[..5], error.FilePath, StringComparison.Ordinal);
        Assert.False(disk.FileExists($"{Restored}/{StoreFiles.ManifestName}"));
    }

    [Fact]
    public void A_backup_of_a_copy_is_not_continued_with_what_the_original_archived()
    {
        Fill(0, 10);
        store.Dispose();
        CopyStore("/copy");
        using (var copy = KeyValueStore.Open("/copy", options with { LogArchiveDirectory = null, Entropy = new SeededEntropy(99) }))
        {
            copy.Put("copy", "1");
            copy.BackUp(Backups);
        }

        store = KeyValueStore.Open(TestStore.Directory, options);
        Fill(10, 20);
        store.ArchiveLog();
        Assert.Equal(
            LogArchiveProblem.Foreign,
            Assert.Throws<LogArchiveException>(() => backups.Restore(RestorePoint.Latest, archive, Restored)).Problem);
    }

    [Fact]
    public void The_archive_of_another_store_is_recognised()
    {
        Fill(0, 10);
        store.BackUp(Backups);
        store.ArchiveLog();
        store.Dispose();
        using (var other = KeyValueStore.Open("/other", options with { Entropy = new SeededEntropy(77) }))
        {
            other.Put("a", "1");
            Assert.Equal(LogArchiveProblem.Foreign, Assert.Throws<LogArchiveException>(other.ArchiveLog).Problem);
        }

        using (var other = KeyValueStore.Open("/other", options with { LogArchiveDirectory = "/archive2" })) other.ArchiveLog();
        var part = Assert.Single(new LogArchive("/archive2", options).Inspect().Parts);
        var name = part.FilePath.Split('/')[^1].Replace("part-00000001", "part-00000002", StringComparison.Ordinal);
        Write($"{Archive}/{name}", Bytes(part.FilePath));
        Assert.IsType<CorruptDataException>(Assert.Single(archive.Inspect().Problems)); // Renamed: it says itself that it is part 1.
        Assert.Throws<CorruptDataException>(() => backups.Restore(RestorePoint.Latest, archive, Restored));
    }

    [Fact]
    public void One_store_at_a_time_archives_into_a_directory()
    {
        using var other = KeyValueStore.Open("/other", options with { Entropy = new SeededEntropy(77) });
        Assert.Throws<LockedException>(other.ArchiveLog);
        Assert.NotNull(other.GetStatistics().LastArchiveFailure);
        other.Put("goes on", "1");
    }

    [Fact]
    public void An_archive_that_was_there_and_is_empty_now_is_not_begun_anew()
    {
        Fill(0, 10);
        Reopen(options);
        foreach (var part in archive.Inspect().Parts) disk.Delete(part.FilePath);
        Reopen(options);
        store.Put("goes on", "1");
        Assert.Contains("is their disk mounted?", Assert.Throws<LogArchiveException>(store.ArchiveLog).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_that_every_backup_has_can_be_pruned()
    {
        ArchiveFiveParts();
        Assert.Empty(archive.Prune(backups)); // The oldest backup is empty.
        store.BackUp(Backups);
        Fill(50, 60);
        store.ArchiveLog();
        Assert.Empty(archive.Prune(backups));
        backups.Delete(1);
        Assert.Equal([1UL, 2, 3, 4, 5], archive.Prune(backups).Select(part => part.Number));
        Assert.Equal(50UL, archive.Inspect().AfterSequence);
        Assert.Equal(store.ReadAll(), Read(Open(Restored)));
        store.BackUp(Backups);
        backups.Delete(2);
        Assert.Empty(archive.Prune(backups)); // The newest part stays.
        store.Put("later", "1");
        store.ArchiveLog();
        Assert.Equal([6UL], archive.Prune(backups).Select(part => part.Number));
        Assert.Empty(archive.Verify().Problems);
    }

    [Fact]
    public void A_part_can_be_looked_into()
    {
        Fill(0, 3);
        store.ArchiveLog();
        var part = Assert.Single(archive.Inspect().Parts);
        var text = new StringWriter();
        Assert.Equal(new InspectionResult(3, 0), KeyValueInspector.Inspect(part.FilePath, text, options));
        Assert.Contains("sequences 1 to 3, after 0", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("put \"key0002\"", text.ToString(), StringComparison.Ordinal);
        var bytes = Bytes(part.FilePath);
        bytes[^20] ^= 1;
        Write(part.FilePath, bytes);
        Assert.Equal(new InspectionResult(2, 1), KeyValueInspector.Inspect(part.FilePath, text, options));
    }

    [Fact]
    public void A_store_is_not_archived_into_its_own_directory() =>
        Assert.Throws<ArgumentException>(() => KeyValueStore.Open("/other", options with { LogArchiveDirectory = "/other" }));

    void ArchiveFiveParts()
    {
        store.BackUp(Backups);
        for (var i = 0; i < 5; i++)
        {
            Fill(i * 10, (i + 1) * 10);
            store.ArchiveLog();
        }
    }

    void Fill(int from, int to)
    {
        for (var i = from; i < to; i++)
            store.Put($"key{i:d4}", $"{i}.{store.VisibleSequence}".PadLeft(i % 3 == 0 ? 120 : 40, '.'), Durability.Relaxed);
    }

    void Reopen(KeyValueOptions with)
    {
        store.Dispose();
        store = KeyValueStore.Open(TestStore.Directory, with);
    }

    string Open(string target)
    {
        backups.Restore(RestorePoint.Latest, archive, target);
        return target;
    }

    KeyValueStore Open(string old, string target)
    {
        Assert.True(disk.DirectoryExists(old));
        return KeyValueStore.Open(Open(target), options with { LogArchiveDirectory = null });
    }

    string Read(string directory)
    {
        using var opened = KeyValueStore.Open(directory, options with { LogArchiveDirectory = null });
        Assert.True(opened.Verify().IsClean);
        return opened.ReadAll();
    }

    void CopyStore(string target)
    {
        disk.CreateDirectory(target);
        foreach (var name in disk.List(TestStore.Directory)) Write($"{target}/{name}", Bytes($"{TestStore.Directory}/{name}"));
    }

    byte[] Bytes(string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        return bytes;
    }

    void Write(string path, byte[] bytes)
    {
        using var file = disk.Open(path, FileOpenMode.OpenOrCreate);
        file.SetLength(0);
        file.Write(bytes, 0);
    }

    /// <summary>One byte of a table changes after it was copied: nothing but reading all of it finds that.</summary>
    sealed class RottingTables(IFileSystem disk, string below) : PassingFileSystem(disk)
    {
        readonly HashSet<string> rotten = new(StringComparer.Ordinal);

        public override IFile Open(string path, FileOpenMode mode)
        {
            var isCopy = path.StartsWith(below, StringComparison.Ordinal) && path.Contains("/table-", StringComparison.Ordinal);
            if (isCopy && mode == FileOpenMode.ReadOnly && rotten.Add(path))
            {
                using var file = base.Open(path, FileOpenMode.Existing);
                var content = new byte[1];
                file.Read(content, 100);
                content[0] ^= 1;
                file.Write(content, 100);
            }

            return base.Open(path, mode);
        }
    }
}
