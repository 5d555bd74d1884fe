using System.Text;
using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Simulation;

/// <summary>What may survive a power cut, and what may not: each test lists all the disks that can come back.</summary>
public sealed class CrashModelTests
{
    readonly SimulatedFileSystem disk = new();

    [Fact]
    public void Everything_that_was_synced_survives()
    {
        Put("/f", "data");
        Assert.Equal(["f=data"], FinalStates());
    }

    [Fact]
    public void A_synced_file_without_a_synced_name_may_be_gone_but_is_not_empty()
    {
        using (var file = disk.Open("/f", FileOpenMode.CreateNew))
        {
            file.Write("data"u8, 0);
            file.Sync();
        }

        Assert.Equal(["", "f=data"], FinalStates());
    }

    [Fact]
    public void A_synced_name_does_not_sync_the_data()
    {
        using (var file = disk.Open("/f", FileOpenMode.CreateNew)) file.Write("data"u8, 0);
        disk.SyncDirectory("/");

        Assert.Equal(["f=", "f=0000", "f=data"], FinalStates());
    }

    [Fact]
    public void A_renaming_may_outrun_the_content_and_a_deletion_the_renaming()
    {
        Put("/current", "old");
        using (var file = disk.Open("/new", FileOpenMode.CreateNew)) file.Write("next"u8, 0);
        disk.Rename("/new", "/current");

        Assert.Equal(
            [
                "current=", "current=0000", "current=next",
                "current=old", "current=old new=", "current=old new=0000", "current=old new=next",
            ],
            FinalStates());
    }

    [Fact]
    public void A_deletion_may_survive_without_the_renaming_before_it()
    {
        Put("/a", "1");
        Put("/b", "2");
        disk.Rename("/a", "/c");
        disk.Delete("/b");

        Assert.Equal(["a=1", "a=1 b=2", "b=2 c=1", "c=1"], FinalStates());
    }

    [Fact]
    public void A_name_that_was_made_and_removed_again_keeps_its_order()
    {
        using (disk.Open("/f", FileOpenMode.CreateNew))
        {
        }

        disk.Delete("/f");
        disk.SyncDirectory("/");
        Assert.Equal([""], FinalStates());
    }

    [Fact]
    public void A_renaming_between_directories_needs_both_synced_and_never_doubles_the_file()
    {
        disk.CreateDirectory("/a");
        disk.CreateDirectory("/b");
        disk.SyncDirectory("/");
        Put("/a/f", "1");
        disk.Rename("/a/f", "/b/f");
        disk.SyncDirectory("/b");
        Assert.Equal(["a/ b/f=1", "a/f=1 b/"], FinalStates());
        disk.SyncDirectory("/a");
        Assert.Equal(["a/ b/f=1"], FinalStates());
    }

    [Fact]
    public void What_is_durable_in_a_directory_is_gone_with_the_directorys_own_name()
    {
        disk.CreateDirectory("/a");
        Put("/a/f", "1");
        Assert.Equal(["", "a/f=1"], FinalStates());
    }

    [Fact]
    public void One_sector_never_mixes_a_later_write_with_the_absence_of_an_earlier()
    {
        Put("/f", "..");
        Write("/f", "a", 0);
        Write("/f", "b", 1);
        Assert.Equal(["f=..", "f=a.", "f=ab"], FinalStates());
    }

    [Fact]
    public void Different_sectors_survive_in_any_combination()
    {
        Put("/f", new string('.', 1024));
        Write("/f", "a", 0);
        Write("/f", "b", 512);
        Assert.Equal(["f=.", "f=.b.", "f=a.", "f=a.b."], FinalStates());
    }

    [Fact]
    public void A_long_write_is_torn_at_every_sector_from_both_ends()
    {
        Put("/f", new string('.', 1536));
        Write("/f", new string('a', 512) + new string('b', 512) + new string('c', 512), 0);
        var states = FinalStates();

        Assert.Superset(new HashSet<string> { "f=.", "f=abc", "f=a.", "f=ab.", "f=.bc", "f=.c" }, states.ToHashSet());
        Assert.True(states.Count <= 8);
    }

    [Fact]
    public void What_was_appended_and_lost_shows_what_lay_there_before_if_that_is_asked_for()
    {
        Put("/f", new string('.', 512));
        Write("/f", new string('a', 512) + new string('b', 512), 512);
        Assert.All(FinalStates(), state => Assert.Matches("^f=[.0ab]*$", state));

        disk.RestartTrace();
        Write("/f", new string('c', 1024), 1536);
        disk.Mark("end");
        var shown = 0;
        CrashExplorer.Explore(
            disk,
            state =>
            {
                using var file = state.Disk.Open("/f", FileOpenMode.ReadOnly);
                var content = new byte[file.LengthBytes];
                file.Read(content, 0);
                Assert.Equal(new string('.', 512) + new string('a', 512) + new string('b', 512), Encoding.ASCII.GetString(content[..1536]));
                foreach (var sector in content.Skip(1536).Chunk(512))
                    if (sector.Distinct().Count() > 1) shown++; // Neither written nor zeros.
            },
            new CrashExplorerOptions { StateBudget = int.MaxValue, ShowsOldContent = true });
        Assert.True(shown >= 4, $"{shown} sectors");
    }

    [Fact]
    public void A_sync_orders_what_lies_on_both_sides_of_it()
    {
        Put("/f", new string('.', 1024));
        using (var file = disk.Open("/f", FileOpenMode.Existing))
        {
            file.Write("a"u8, 0);
            file.Sync();
            file.Write("b"u8, 512);
        }

        Assert.Equal(["f=a.", "f=a.b."], FinalStates());
    }

    [Fact]
    public void A_cut_and_what_is_written_after_it_survive_in_any_combination()
    {
        Put("/f", new string('.', 1024));
        using (var file = disk.Open("/f", FileOpenMode.Existing))
        {
            file.SetLength(0);
            file.Write("b"u8, 512);
        }

        // The cut alone; the write alone, into the sector that the cache had already emptied; both, with and without the length.
        Assert.Equal(["f=", "f=.", "f=.b0", "f=0", "f=0b"], FinalStates());
    }

    [Fact]
    public void A_hole_and_a_reservation_are_pending_until_synced()
    {
        Put("/f", new string('.', 8192));
        using var file = disk.Open("/f", FileOpenMode.Existing);
        file.PunchHole(0, 4096);
        Assert.Superset(new HashSet<string> { "f=.", "f=0." }, FinalStates().ToHashSet());
        file.Sync();
        file.Allocate(8192, 4096);
        Assert.Equal(["f=0.", "f=0.0"], FinalStates());
    }

    [Fact]
    public void A_file_that_no_crash_can_bring_back_adds_no_states()
    {
        Put("/f", "1");
        using var file = disk.Open("/f", FileOpenMode.Existing);
        disk.Delete("/f");
        disk.SyncDirectory("/");
        file.Write("2"u8, 0);
        file.Write("3"u8, 600);

        Assert.Equal([""], FinalStates());
    }

    [Fact]
    public void A_lock_file_adds_no_states()
    {
        disk.Lock("/LOCK").Dispose();
        Assert.Equal(["LOCK="], FinalStates());
    }

    [Fact]
    public void Every_point_of_the_trace_is_a_crash()
    {
        Put("/f", "1");
        Put("/g", "2");
        Assert.Equal(
            ["", "f=", "f=0", "f=1", "f=1 g=", "f=1 g=0", "f=1 g=2"],
            States(_ => true).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_was_set_up_before_the_trace_was_restarted_is_durable()
    {
        using var file = disk.Open("/f", FileOpenMode.CreateNew);
        file.Write("."u8, 0);
        disk.RestartTrace();
        file.Write("a"u8, 0);
        disk.Open("/g", FileOpenMode.CreateNew).Dispose();
        Assert.Equal(["f=.", "f=. g=", "f=a", "f=a g="], FinalStates());
    }

    [Fact]
    public void Losing_power_at_random_gives_one_of_the_states()
    {
        Put("/f", "old");
        Write("/f", "new", 0);
        disk.Delete("/f");
        var states = FinalStates();
        var seen = Enumerable.Range(0, 50).Select(seed => Describe(disk.LosePower((ulong)seed))).ToHashSet();

        Assert.Subset(states.ToHashSet(), seen);
        Assert.Equal(states.Count, seen.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(2000)]
    public void Power_fails_after_every_change_however_small_the_budget_is(int budget)
    {
        var kept = new HashSet<string>();
        for (var i = 0; i < 30; i++)
        {
            if (i % 3 == 0) Put($"/f{i}", "data");
            else Write($"/g{i}", "lost", 0);
            kept.Add(Describe(disk));
        }

        var visited = new HashSet<string>();
        CrashExplorer.Explore(
            disk, state =>
                visited.Add(Describe(state.Disk)), new CrashExplorerOptions { StateBudget = budget, RandomSubsets = 2, NestedOneIn = 0 });
        Assert.Superset(kept, visited);
    }

    [Fact]
    public void A_budget_samples_the_same_states_each_time()
    {
        for (var i = 0; i < 40; i++) Write("/f", new string((char)('a' + i % 26), 1500), i * 700);
        var first = Collect();

        Assert.Equal(first, Collect());
        Assert.InRange(first.Count, 400, 1200);

        List<string> Collect()
        {
            var states = new List<string>();
            var options = new CrashExplorerOptions { StateBudget = 1000, NestedOneIn = 0 };
            CrashExplorer.Explore(disk, state => states.Add($"{state.EventIndex} {state}"), options);
            return states;
        }
    }

    List<string> FinalStates()
    {
        disk.Mark("end");
        var marks = disk.TraceLength;
        return [.. States(state => state.EventIndex == marks).Order(StringComparer.Ordinal)];
    }

    HashSet<string> States(Func<CrashState, bool> filter)
    {
        var states = new HashSet<string>();
        CrashExplorer.Explore(
            disk,
            state =>
            {
                if (filter(state)) states.Add(Describe(state.Disk));
            },
            new CrashExplorerOptions { StateBudget = int.MaxValue });
        return states;
    }

    void Put(string path, string content)
    {
        using (var file = disk.Open(path, FileOpenMode.CreateNew))
        {
            file.Write(Encoding.ASCII.GetBytes(content), 0);
            file.Sync();
        }

        disk.SyncDirectory(path[..Math.Max(1, path.LastIndexOf('/'))]);
    }

    void Write(string path, string content, long offset)
    {
        using var file = disk.Open(path, FileOpenMode.OpenOrCreate);
        file.Write(Encoding.ASCII.GetBytes(content), offset);
    }

    static string Describe(IFileSystem disk, string directory = "")
    {
        var parts = disk.List(directory.Length == 0 ? "/" : directory).Select(name =>
        {
            var path = $"{directory}/{name}";
            if (disk.FileExists(path)) return $"{path[1..]}={Content(disk, path)}";
            var inner = Describe(disk, path);
            return inner.Length == 0 ? $"{path[1..]}/" : inner;
        });
        return string.Join(' ', parts);
    }

    /// <summary>Zeros as 0; a file longer than a line with its repetitions left out.</summary>
    static string Content(IFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[file.LengthBytes];
        file.Read(bytes, 0);
        var text = Encoding.ASCII.GetString(bytes).Replace('\0', '0');
        if (text.Length <= 8) return text;
        var brief = new StringBuilder();
        foreach (var letter in text)
        {
            if (brief.Length == 0 || brief[^1] != letter) brief.Append(letter);
        }

        return brief.ToString();
    }
}
