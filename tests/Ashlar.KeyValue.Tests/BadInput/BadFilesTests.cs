using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Files that are not what they were: refused with an error that names the file, and left as they are; or harmless.
/// Further cases are in <see cref="ForeignFilesTests"/> and <see cref="BitFlipTests"/>; docs/testing.md has the list.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class BadFilesTests
{
    const int Keys = 120;

    public static TheoryData<string> Kinds => ["table-", "log-", "MANIFEST"];

    static KeyValueOptions Options(IFileSystem disk, ulong seed = 5) => TestStore.Small(disk) with
    {
        Entropy = new SeededEntropy(seed),
        BlockBytes = 256,
        LogChunkBytes = 2048,
        TableBytes = 2048,
        LevelZeroTables = 2,
    };

    static void Fill(KeyValueStore store)
    {
        for (var i = 0; i < Keys; i++) store.Put($"key {i:d3}", Value(i));
        store.Compact();
        for (var i = 0; i < 20; i++) store.Put($"later {i:d2}", Value(i));
    }

    static string Value(int number) => $"{number}".PadLeft(number % 10 == 0 ? 900 : 60, '.');

    /// <summary>A store closed in good order, with tables and a log that counts.</summary>
    static StoreImage Closed(ulong seed = 5)
    {
        var disk = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk, seed))) Fill(store);
        return StoreImage.Take(disk);
    }

    /// <summary>A store whose process was killed.</summary>
    static StoreImage Killed()
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        Fill(store);
        return StoreImage.Take(disk);
    }

    static string RightContent(StoreImage image)
    {
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()));
        return store.ReadAll();
    }

    /// <summary>Opens, reads and verifies everything: an error, or exactly what was there.</summary>
    static bool IsNoticedOrHarmless(StoreImage image, string right)
    {
        var disk = image.ToDisk();
        try
        {
            using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
            var found = store.ReadAll();
            var report = store.Verify();
            if (!report.IsClean) throw report.Problems[0];
            Assert.Equal(right, found);
            return false;
        }
        catch (AshlarException error) when (error is CorruptDataException or UnsupportedFormatException)
        {
            Assert.Contains(StoreImage.Directory, error.Message, StringComparison.Ordinal);
            return true;
        }
    }

    static CorruptDataException RefusesUntouched(StoreImage image)
    {
        var disk = image.ToDisk();
        var error = Assert.Throws<CorruptDataException>(() => KeyValueStore.Open(StoreImage.Directory, Options(disk)));
        image.RequireSameFiles(disk);
        return error;
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_one_byte_short_is_noticed(string kind)
    {
        var image = Closed();
        var right = RightContent(image);
        foreach (var name in image.Files.Keys.Where(name => name.StartsWith(kind, StringComparison.Ordinal)).ToArray())
        {
            var whole = image.Files[name];
            image.Files[name] = whole[..^1];
            // What the manifest lacks then is the mark of an orderly close: it looks like a crash, and is recovered from.
            Assert.True(IsNoticedOrHarmless(image, right) || kind == "MANIFEST", name);
            image.Files[name] = whole;
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_cut_at_any_sector_is_noticed(string kind)
    {
        var image = Closed();
        var right = RightContent(image);
        var name = image.Files.Where(file => file.Key.StartsWith(kind, StringComparison.Ordinal)).MaxBy(file => file.Value.Length).Key;
        var whole = image.Files[name];
        for (var cut = 0; cut < whole.Length; cut += 512)
        {
            image.Files[name] = whole[..cut];
            Assert.True(IsNoticedOrHarmless(image, right), $"{name} cut at {cut}");
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_with_something_behind_its_end_is_noticed_or_read_as_before(string kind)
    {
        var image = Closed();
        var right = RightContent(image);
        var name = image.Only(kind);
        var whole = image.Files[name];
        foreach (var count in (int[])[1, 7, 511, 512, 4096])
        {
            image.Files[name] = [.. whole, .. new byte[count]];
            IsNoticedOrHarmless(image, right);
            image.Files[name] = [.. whole, .. new SeededRandom((ulong)count).Bytes(count)];
            IsNoticedOrHarmless(image, right);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Any_byte_of_a_head_changed_to_anything_is_noticed(string kind)
    {
        var image = Closed();
        var right = RightContent(image);
        var name = image.Only(kind);
        var bytes = image.Files[name];
        // A table's head is at its end.
        var from = kind == "table-" ? bytes.Length - 128 : 0;
        var length = kind switch { "table-" => 128, "log-" => 64, _ => 32 };
        for (var at = from; at < from + length; at++)
        {
            foreach (var change in (byte[])[1, 0x80, 0xFF])
            {
                bytes[at] ^= change;
                Assert.True(IsNoticedOrHarmless(image, right), $"{name}, byte {at}");
                bytes[at] ^= change;
            }
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_file_whose_magic_number_has_the_other_byte_order_is_refused(string kind)
    {
        var image = Closed();
        var bytes = image.Files[image.Only(kind)];
        var magic = bytes.AsSpan(kind == "table-" ? bytes.Length - 128 : 0, 8);
        magic.Reverse();
        var disk = image.ToDisk();
        var error = Assert.ThrowsAny<AshlarException>(() => KeyValueStore.Open(StoreImage.Directory, Options(disk)));
        Assert.Contains(image.Only(kind), error.Message, StringComparison.Ordinal);
        image.RequireSameFiles(disk);
    }

    [Theory, InlineData("table-", 128), InlineData("log-", 0), InlineData("MANIFEST", 0)]
    public void A_file_of_an_older_version_that_never_was_is_refused_as_such(string kind, int fromEnd)
    {
        var image = Closed();
        var bytes = image.Files[image.Only(kind)];
        var head = bytes.AsSpan(fromEnd == 0 ? 0 : bytes.Length - fromEnd, kind switch { "table-" => 128, "log-" => 64, _ => 32 });
        head[8] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], Crc32C.Append(Crc32C.Compute(head[..12]), head[16..]));
        var disk = image.ToDisk();
        var refusal = Assert.Throws<UnsupportedFormatException>(() => KeyValueStore.Open(StoreImage.Directory, Options(disk)));
        Assert.Contains("version 0", refusal.Message, StringComparison.Ordinal);
        image.RequireSameFiles(disk);
    }

    [Theory, InlineData("table-"), InlineData("log-")]
    public void A_file_in_the_place_of_another_of_the_same_store_is_refused(string kind)
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk) with { MemTableBytes = 1500, LevelZeroTables = 100 });
        StoreImage image;
        string[] names;
        var written = 0;
        do
        {
            for (var i = 0; i < 10; i++) store.Put($"{written++:d4}", new string('x', 60));
            image = StoreImage.Take(disk);
            names = [.. image.Files.Keys.Where(name => name.StartsWith(kind, StringComparison.Ordinal))];
        }
        while (names.Length < 2 && written < 5000);
        if (names.Length < 2)
        {
            // The log has one segment at a time: a copy of it under the next name is what can be had.
            image.Files[$"{kind}000999"] = image.Files[names[0]];
            RefusesUntouched(image);
            return;
        }

        (image.Files[names[0]], image.Files[names[1]]) = (image.Files[names[1]], image.Files[names[0]]);
        RefusesUntouched(image);
        image.Files[names[0]] = image.Files[names[1]];
        RefusesUntouched(image);
    }

    [Fact]
    public void A_log_that_is_older_than_the_manifest_is_refused()
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        for (var i = 0; i < 10; i++) store.Put($"{i}", "x");
        var earlier = StoreImage.Take(disk);
        for (var i = 0; i < 10; i++) store.Put($"{i}", "y");
        store.Dispose();
        var image = StoreImage.Take(disk);
        var name = image.Only("log-");
        image.Files[name] = earlier.Files[name][..Math.Min(earlier.Files[name].Length, image.Files[name].Length)];
        RefusesUntouched(image);
    }

    [Theory, InlineData(256), InlineData(512)]
    public void A_page_in_the_place_of_another_is_noticed_although_its_checksum_holds(int pageBytes)
    {
        var image = Closed();
        var right = RightContent(image);
        var moved = 0;
        foreach (var (name, bytes) in image.Files.Where(file => file.Key != "LOCK"))
        {
            var whole = (byte[])bytes.Clone();
            for (var from = 0; from + pageBytes <= bytes.Length; from += pageBytes)
            {
                var to = (from + 3 * pageBytes) % Math.Max(pageBytes, bytes.Length - pageBytes) / pageBytes * pageBytes;
                if (whole.AsSpan(from, pageBytes).SequenceEqual(whole.AsSpan(to, pageBytes))) continue;
                whole.AsSpan(from, pageBytes).CopyTo(bytes.AsSpan(to));
                if (IsNoticedOrHarmless(image, right)) moved++;
                whole.CopyTo(bytes.AsSpan());
            }
        }

        Assert.True(moved > 10, $"{moved}");
    }

    [Fact]
    public void An_old_copy_of_any_page_is_noticed_or_harmless()
    {
        var disk = TestStore.AnyDisk();
        StoreImage earlier;
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk)))
        {
            Fill(store);
            earlier = StoreImage.Take(disk);
            for (var i = 0; i < 20; i++) store.Put($"later {i:d2}", Value(i + 1));
        }

        var image = StoreImage.Take(disk);
        var right = RightContent(image);
        var restored = 0;
        foreach (var (name, bytes) in image.Files.Where(file => earlier.Files.ContainsKey(file.Key) && file.Key != "LOCK"))
        {
            var old = earlier.Files[name];
            var whole = (byte[])bytes.Clone();
            for (var at = 0; at < Math.Min(bytes.Length, old.Length); at += 512)
            {
                var length = Math.Min(512, Math.Min(bytes.Length, old.Length) - at);
                if (old.AsSpan(at, length).SequenceEqual(bytes.AsSpan(at, length))) continue;
                old.AsSpan(at, length).CopyTo(bytes.AsSpan(at));
                Assert.True(IsNoticedOrHarmless(image, right), $"{name}, {at}");
                whole.CopyTo(bytes.AsSpan());
                restored++;
            }
        }

        Assert.True(restored > 0);
    }

    [Fact]
    public void Numbers_that_are_absurd_do_not_make_it_allocate()
    {
        var image = Closed();
        var right = RightContent(image);
        foreach (var (name, bytes) in image.Files.Where(file => file.Key != "LOCK"))
        {
            for (var at = 0; at + 4 <= bytes.Length; at += 4)
            {
                var before = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), at % 8 == 0 ? 0x7FFFFFFF : uint.MaxValue);
                var allocated = GC.GetAllocatedBytesForCurrentThread();
                IsNoticedOrHarmless(image, right);
                Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 32 << 20, $"{name}, {at}");
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), before);
            }
        }
    }

    [Fact]
    public void A_lock_file_left_by_a_dead_process_does_not_keep_anybody_out()
    {
        using var directory = new TemporaryDirectory();
        using (var store = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door })) store.Put("a", "1");
        File.WriteAllText(directory["store/LOCK"], "999999999\n");
        using var reopened = KeyValueStore.Open(directory["store"], new() { FileSystem = RealDisk.Door });
        Assert.Equal("1", reopened.Get("a"));
    }

    [Fact]
    public void A_path_that_is_a_file_and_a_link_to_nowhere_are_refused_and_left_alone()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["file"], "mine");
        Assert.ThrowsAny<StorageException>(() => KeyValueStore.Open(directory["file"], new() { FileSystem = RealDisk.Door }));
        Assert.Equal("mine", File.ReadAllText(directory["file"]));
        File.CreateSymbolicLink(directory["link"], directory["nowhere"]);
        Assert.ThrowsAny<StorageException>(() => KeyValueStore.Open(directory["link"], new() { FileSystem = RealDisk.Door }));
        Assert.False(Directory.Exists(directory["nowhere"]));
        var missing = Assert.Throws<StorageException>(() => KeyValueStore.Open(
            directory["missing"], new() { FileSystem = RealDisk.Door, CreateIfMissing = false }));
        Assert.Equal(StorageErrorKind.NotFound, missing.Kind);
        Assert.False(Directory.Exists(directory["missing"]));
    }

    [Fact]
    public void A_disk_that_is_read_only_at_opening_is_an_error_unless_the_store_is_opened_for_reading()
    {
        var image = Killed();
        var disk = image.ToDisk();
        var readOnly = new FaultyFileSystem(
            disk, new FaultRule(FaultOperations.Changes & ~FaultOperations.Open, FaultKind.ReadOnly) { IsSticky = true });
        var error = Assert.Throws<StorageException>(() => KeyValueStore.Open(StoreImage.Directory, Options(readOnly)));
        Assert.Equal(StorageErrorKind.AccessDenied, error.Kind);
        image.RequireSameFiles(disk);
        using (var reader = KeyValueStore.Open(StoreImage.Directory, Options(readOnly) with { ReadOnly = true }))
            Assert.Equal(Value(7), reader.Get("key 007"));
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        Assert.Equal(Value(7), store.Get("key 007"));
    }

    [Fact]
    public void A_disk_that_turns_read_only_stops_writes_and_not_reads()
    {
        var disk = new FaultyFileSystem(TestStore.AnyDisk());
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk)))
        {
            Fill(store);
            disk.Add(new FaultRule(FaultOperations.Changes & ~FaultOperations.Open, FaultKind.ReadOnly) { IsSticky = true });
            Assert.ThrowsAny<AshlarException>(() => store.Put("more", "x"));
            Assert.ThrowsAny<AshlarException>(() => store.Put("more", "x"));
            Assert.Equal(Value(7), store.Get("key 007"));
            Assert.Null(store.Get("more"));
            try
            {
                store.Dispose();
            }
            catch (AshlarException)
            {
                // Closing may say that the end of the log could not be written.
            }
        }

        disk.Heal();
        using var reopened = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        Assert.Null(reopened.Get("more"));
        Assert.Equal(Value(7), reopened.Get("key 007"));
        Assert.Empty(reopened.Verify().Problems);
    }

    [Fact]
    public void A_disk_that_is_full_at_opening_says_so_and_loses_nothing()
    {
        var image = Killed();
        var right = RightContent(image);
        var failed = FaultSweep.Run(
            new FaultRule(FaultOperations.Write | FaultOperations.Allocate | FaultOperations.SetLength, FaultKind.NoSpace)
            {
                IsSticky = true,
            },
            image.ToDisk,
            disk =>
            {
                try
                {
                    using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
                    Assert.Equal(right, store.ReadAll());
                }
                catch (StorageException full)
                {
                    Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
                }

                disk.Heal();
                using var healthy = KeyValueStore.Open(StoreImage.Directory, Options(disk));
                Assert.Equal(right, healthy.ReadAll());
                Assert.Empty(healthy.Verify().Problems);
            });
        Assert.True(failed > 1);
    }

    [Fact]
    public void Files_copied_one_by_one_while_the_store_is_written_open_to_a_moment_or_not_at_all()
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(StoreImage.Directory, Options(disk));
        var states = new HashSet<string>();
        var image = new StoreImage();
        Fill(store);
        states.Add(store.ReadAll());
        var opened = 0;
        for (var round = 0; round < 40; round++)
        {
            image.Files.Clear();
            foreach (var name in disk.List(StoreImage.Directory))
            {
                if (disk.FileExists($"{StoreImage.Directory}/{name}"))
                {
                    using var file = disk.Open($"{StoreImage.Directory}/{name}", FileOpenMode.ReadOnly);
                    var bytes = new byte[file.LengthBytes];
                    file.Read(bytes, 0);
                    image.Files[name] = bytes;
                }

                store.Put($"key {round:d3}", $"{round} {name}");
                states.Add(store.ReadAll());
            }

            try
            {
                using var copy = KeyValueStore.Open(StoreImage.Directory, Options(image.ToDisk()));
                Assert.Contains(copy.ReadAll(), states);
                opened++;
            }
            catch (CorruptDataException)
            {
            }
        }

        Assert.True(opened > 0);
    }

    [Fact]
    public void A_clock_that_runs_backwards_between_openings_does_no_harm()
    {
        var disk = TestStore.AnyDisk();
        var clock = new SimulatedClock();
        clock.Advance(TimeSpan.FromDays(3000));
        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk) with { TimeProvider = clock }))
        {
            Fill(store);
            store.Put("expires"u8, "x"u8, TimeSpan.FromDays(1));
        }

        using (var store = KeyValueStore.Open(StoreImage.Directory, Options(disk) with { TimeProvider = new SimulatedClock() }))
        {
            Assert.Equal("x", store.Get("expires"));
            store.Put("key 007", "new");
            store.Compact();
            Assert.Equal("new", store.Get("key 007"));
            Assert.Empty(store.Verify().Problems);
        }

        using var again = KeyValueStore.Open(StoreImage.Directory, Options(disk) with { TimeProvider = clock });
        Assert.Equal("new", again.Get("key 007"));
        Assert.Equal("x", again.Get("expires"));
    }
}
