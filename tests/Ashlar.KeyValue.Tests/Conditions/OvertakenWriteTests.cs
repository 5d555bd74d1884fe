using Ashlar.KeyValue.Commit;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Conditional writes that others overtake between their look at the key and their turn: in each place where the other's write may lie by
/// then.
/// </summary>
public sealed class OvertakenWriteTests
{
    /// <summary>What each way of overtaking must lead to, in words; the mutated engine runs the same.</summary>
    public static TheoryData<string> Places => ["the same group", "unpublished", "a memtable", "a table"];

    [Theory, MemberData(nameof(Places))]
    public async Task Who_was_overtaken_is_refused_and_finds_what_has_overtaken_it(string place) =>
        Assert.Equal("refused, and the other's value is there", await Overtake(place));

    /// <summary>Each takes a compilation of the engine.</summary>
    public static TheoryData<string, string> Bugs
    {
        get
        {
            var bugs = new TheoryData<string, string> { { nameof(PlantedBugs.CheckPublishedWritesOnly), "unpublished" } };
            if (!TestTier.IsDeep) return bugs;
            bugs.Add(nameof(PlantedBugs.ForgetMembersOfTheSameGroup), "the same group");
            bugs.Add(nameof(PlantedBugs.TakeMemtablesForAllThatWasWritten), "a table");
            return bugs;
        }
    }

    [Theory, MemberData(nameof(Bugs))]
    public void An_engine_that_looks_too_little_is_noticed(string bug, string place) =>
        Assert.Equal("both were written", PlantedBugs.Named(bug).Run(static place => Overtake(place).GetAwaiter().GetResult(), place));

    static async Task<string> Overtake(string place) => place switch
    {
        "the same group" => await OvertakeInGroup(),
        "unpublished" => await OvertakeUnpublished(),
        _ => OvertakeAfterLooking(isFlushed: place == "a table"),
    };

    // Both look, and join the group that forms while another is being written.
    static async Task<string> OvertakeInGroup()
    {
        ValueTask<bool> first = default, second = default;
        KeyValueStore? open = null;
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(new FaultyFileSystem(TestStore.NewDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Write || !path.Contains("/log-", StringComparison.Ordinal) || open is not { } now) return;
                open = null;
                first = now.TryWriteAsync(Put("first"), Absent());
                second = now.TryWriteAsync(Put("second"), Absent());
            },
        }));
        store.Put("other", "x");
        open = store;
        store.Put("other", "y");
        return Outcome(await first && await second, store.Get("key"), "first");
    }

    // The other's write is in the memtable, and its flush under way, so that nobody sees it.
    static async Task<string> OvertakeUnpublished()
    {
        ValueTask<bool> second = default;
        KeyValueStore? open = null;
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(new FaultyFileSystem(TestStore.NewDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Sync || !path.Contains("/log-", StringComparison.Ordinal) || open is not { } now) return;
                open = null;
                Assert.False(now.ContainsKey("key"u8));
                second = now.TryWriteAsync(Put("second"), Absent(), Durability.Unflushed);
                Waiting.UntilAsync(() => now.GetStatistics().ConditionalWrites == 2, "the leader has decided").GetAwaiter().GetResult();
            },
        }));
        store.Put("other", "x");
        open = store;
        Assert.True(store.PutIfAbsent("key"u8, "first"u8));
        return Outcome(await second, store.Get("key"), "first");
    }

    static string OvertakeAfterLooking(bool isFlushed)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()));
        var looked = new WriteCheck(Absent().ToArray(), [], store.VisibleSequence);
        store.Put("key", "first");
        if (isFlushed) store.Flush();
        var outcome = store.TryWriteHeld(Put("second"), looked, Durability.Sync, isLooked: true);
        return Outcome(outcome == CheckOutcome.Holds, store.Get("key"), "first");
    }

    [Fact]
    public void Who_is_stale_looks_again_and_is_written_if_nothing_has_changed()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()));
        store.Put("kept", "1");
        var looked = new WriteCheck([new("key"u8.ToArray(), 0, 0), new("kept"u8.ToArray(), 1, 0)], [], store.VisibleSequence);
        store.Put("other", "x");
        store.Delete("key"); // It was absent, and still is.
        store.Compact();
        Assert.Equal(CheckOutcome.Holds, store.TryWriteHeld(Put("second"), looked, Durability.Sync, isLooked: true));
        Assert.Equal((2, 1), (store.GetStatistics().ConditionalWrites, store.GetStatistics().OvertakenWrites));
        Assert.Equal("second", store.Get("key"));
    }

    /// <summary>Otherwise it would never be written where somebody writes all the time.</summary>
    [Fact]
    public void For_who_is_stale_again_and_again_the_leader_looks_at_more()
    {
        var options = TestStore.Small(TestStore.NewDisk()) with { MemTableBytes = 16 << 20 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        var batch = new WriteBatch();
        for (var i = 0; i < 20_000; i++) batch.Put(TestStore.Bytes($"k{i:d5}"), "v"u8);
        store.Write(batch);
        foreach (var (looks, looksAfter) in ((int, int)[])[(0, 1), (4, 5), (5, 5), (63, 63)])
        {
            var scanned = new WriteCheck([], [KeyRange.Prefix("k"u8)], store.VisibleSequence) { StaleLooks = looks };
            store.Put("other", "x");
            Assert.Equal(CheckOutcome.Holds, store.TryWriteHeld(Put("own"), scanned, Durability.Sync, isLooked: true));
            Assert.Equal(looksAfter, scanned.StaleLooks);
        }
    }

    [Fact]
    public async Task A_delete_of_an_absent_key_in_the_same_group_does_not_count_and_a_delete_of_a_present_one_does()
    {
        ValueTask deleted = default;
        ValueTask<bool> ofAbsent = default, ofPresent = default;
        KeyValueStore? open = null;
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(new FaultyFileSystem(TestStore.NewDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation != FaultOperations.Write || !path.Contains("/log-", StringComparison.Ordinal) || open is not { } now) return;
                open = null;
                var batch = new WriteBatch();
                batch.Put("key"u8, "passing"u8);
                batch.Delete("key"u8);
                batch.Delete("present"u8);
                deleted = now.WriteAsync(batch);
                ofAbsent = now.TryWriteAsync(Put("second"), Absent());
                ofPresent = now.TryWriteAsync(Put("third"), new WriteConditions().RequireUnchanged("present"u8, 1));
            },
        }));
        store.Put("present", "1");
        open = store;
        store.Put("other", "y");
        await deleted;
        Assert.True(await ofAbsent);
        Assert.False(await ofPresent);
        Assert.Equal("key=second other=y", store.ReadAll());
    }

    [Fact]
    public async Task Of_many_who_put_the_same_absent_key_one_succeeds_and_the_others_find_its_value()
    {
        using var store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(TestStore.NewDisk(), inline: false) with { MemTableBytes = 2000 });
        const int Writers = 8, Keys = 60;
        var winners = new int[Keys];
        using var start = new Barrier(Writers);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(
            () =>
            {
                for (var key = 0; key < Keys; key++)
                {
                    start.SignalAndWait();
                    var name = TestStore.Bytes($"{key}");
                    if (store.PutIfAbsent(name, TestStore.Bytes($"{writer}".PadRight(60)), (Durability)(writer % 3)))
                        Interlocked.Increment(ref winners[key]);
                    Assert.NotNull(store.Get(name));
                }
            },
            TaskCreationOptions.LongRunning)));
        Assert.All(winners, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task A_counter_that_many_increment_loses_nothing()
    {
        using var store = KeyValueStore.Open(
            TestStore.Directory, TestStore.Small(TestStore.NewDisk(), inline: false) with { MemTableBytes = 2000 });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 100; i++) store.Increment("n"u8, writer + 1, (Durability)(i % 3));
            },
            TaskCreationOptions.LongRunning)));
        Assert.Equal(100 * 21, store.Increment("n"u8, 0));
    }

    static string Outcome(bool isWritten, string? value, string first) => isWritten ? "both were written"
        : value == first ? "refused, and the other's value is there" : $"refused, and {value ?? "nothing"} is there";

    static WriteConditions Absent() => new WriteConditions().RequireAbsent("key"u8);

    static WriteBatch Put(string value)
    {
        var batch = new WriteBatch();
        batch.Put("key"u8, TestStore.Bytes(value));
        return batch;
    }
}
