using System.Buffers;
using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>Reads and writes that take effect together, or not at all because others have written what was read.</summary>
public sealed class TransactionTests : IDisposable
{
    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    readonly KeyValueStore store;

    public TransactionTests()
    {
        store = Open();
        store.Put("a", "1");
        store.Put("b", "2");
    }

    KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TimeProvider = clock });

    public void Dispose()
    {
        store.Dispose();
        using var reopened = Open();
        Assert.Empty(reopened.Verify().Problems);
    }

    // The first group after an opening makes a segment of the log, also where nothing of it is written.
    [Fact]
    public void A_first_commit_that_is_refused_leaves_a_store_that_can_be_flushed()
    {
        var options = TestStore.Small(disk) with { TimeProvider = clock };
        using (var first = KeyValueStore.Open("/other", options))
        {
            first.Put("k"u8, "v"u8, TimeSpan.FromMinutes(1));
            first.Put("x", "1");
        }

        using var reopened = KeyValueStore.Open("/other", options);
        using (var transaction = reopened.BeginTransaction())
        {
            Assert.NotNull(transaction.Get("k"u8));
            clock.Advance(TimeSpan.FromMinutes(2));
            transaction.Put("z"u8, "1"u8);
            Assert.False(transaction.TryCommit());
        }

        reopened.Flush();
        reopened.Put("y", "2");
        Assert.Equal("x=1 y=2", reopened.ReadAll());
    }

    [Fact]
    public void A_transaction_reads_its_own_writes_on_top_of_one_moment_and_nobody_else_sees_them_before_the_commit()
    {
        using var transaction = store.BeginTransaction();
        store.Put("b", "later");
        transaction.Put("a"u8, "own"u8);
        transaction.Put("c"u8, "new"u8);
        transaction.Delete("c"u8);
        transaction.Put("d"u8, "x"u8);
        Assert.Equal("own"u8.ToArray(), transaction.Get("a"u8));
        Assert.Equal("2"u8.ToArray(), transaction.Get("b"u8, out var info));
        Assert.Equal(2UL, info.Sequence);
        Assert.False(transaction.ContainsKey("c"u8));
        Assert.Equal("own"u8.ToArray(), transaction.Get("a"u8, out info));
        Assert.Equal(default, info);
        var writer = new ArrayBufferWriter<byte>();
        Assert.True(transaction.TryGet("a"u8, writer));
        Assert.True(transaction.TryGet("b"u8, writer));
        Assert.False(transaction.TryGet("c"u8, writer));
        Assert.Equal("own2", Encoding.UTF8.GetString(writer.WrittenSpan));
        Assert.False(transaction.TryGet("a"u8, new byte[2], out var length));
        Assert.Equal(3, length);
        Assert.False(transaction.TryGet("c"u8, new byte[2], out length));
        Assert.Equal(0, length);
        Assert.Equal(
            ["own", "2", null, "x"],
            transaction.MultiGet(["a"u8.ToArray(), "b"u8.ToArray(), "c"u8.ToArray(), "d"u8.ToArray()])
                .Select(value => value is null ? null : Encoding.UTF8.GetString(value)));
        Assert.Equal("a=own b=2 d=x", All(transaction));
        Assert.Equal("d=x b=2 a=own", All(transaction, ScanDirection.Backward));
        Assert.Equal("a=1 b=later", store.ReadAll());
    }

    [Fact]
    public void A_commit_applies_all_writes_at_once_and_a_rollback_or_no_commit_none()
    {
        using (var transaction = store.BeginTransaction())
        {
            Assert.True(transaction.ContainsKey("a"u8));
            transaction.Put("c"u8, "3"u8);
            transaction.Delete("a"u8);
            var before = store.VisibleSequence;
            transaction.Commit();
            Assert.Equal(before + 2, store.VisibleSequence);
            Assert.Equal(TransactionState.Committed, transaction.State);
        }

        using (var rolledBack = store.BeginTransaction())
        {
            rolledBack.Put("d"u8, "x"u8);
            rolledBack.Rollback();
            rolledBack.Rollback();
            Assert.Equal(TransactionState.RolledBack, rolledBack.State);
        }

        using (var dropped = store.BeginTransaction()) dropped.Put("e"u8, "x"u8);
        Assert.Equal("b=2 c=3", store.ReadAll());
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    [Theory]
    [InlineData("get"), InlineData("get with info"), InlineData("into a writer"), InlineData("into a span")]
    [InlineData("contains"), InlineData("info"), InlineData("several"), InlineData("scan"), InlineData("backward scan"), InlineData("seek")]
    public void Whatever_was_read_must_not_have_been_written_since(string how)
    {
        foreach (var isFlushed in (bool[])[false, true])
        {
            foreach (var change in (Action[])[() => store.Put("a", "other"), () => store.Delete("a"), () => store.Put("a", "1")])
            {
                store.Put("a", "1");
                using var transaction = store.BeginTransaction();
                Read(transaction, how);
                transaction.Put("z"u8, "x"u8);
                change();
                if (isFlushed) store.Compact();
                var conflict = Assert.Throws<TransactionConflictException>(() => transaction.Commit());
                Assert.Equal("a"u8.ToArray(), conflict.Key.ToArray());
                Assert.Equal(FailureClass.Conflict, conflict.FailureClass);
                Assert.Equal(TransactionState.Conflicted, transaction.State);
                Assert.Null(store.Get("z"));
            }
        }
    }

    [Fact]
    public void What_was_not_read_may_be_written_by_others()
    {
        using var transaction = store.BeginTransaction();
        using (var scan = transaction.Scan(KeyRange.From("b"u8)))
            Assert.True(scan.MoveNext());
        Assert.Null(transaction.Get("n"u8));
        transaction.Put("a"u8, "own"u8); // Not read: the last one wins.
        Assert.Equal("own"u8.ToArray(), transaction.Get("a"u8));
        store.Put("a", "other");
        store.Put("c", "behind where the scan was left");
        store.Delete("n"); // It was absent, and still is.
        Assert.True(transaction.TryCommit());
        Assert.Equal("a=own b=2 c=behind where the scan was left", store.ReadAll());
    }

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_key_that_came_into_a_scanned_range_is_a_conflict(ScanDirection direction)
    {
        using var transaction = store.BeginTransaction();
        Assert.Equal(direction == ScanDirection.Forward ? "a=1 b=2" : "b=2 a=1", All(transaction, direction));
        transaction.Put("count"u8, "2"u8);
        store.Put("aa", "between");
        var conflict = Assert.Throws<TransactionConflictException>(() => transaction.Commit(Durability.Relaxed));
        Assert.Equal("aa"u8.ToArray(), conflict.Key.ToArray());
    }

    [Fact]
    public void An_engine_that_forgets_what_was_scanned_is_noticed()
    {
        Assert.Equal($"{TransactionState.Conflicted}", Phantom());
        // It takes a compilation of the engine.
        if (TestTier.IsDeep) Assert.Equal($"{TransactionState.Committed}", PlantedBugs.ForgetRangesThatWereScanned.Run(Phantom));

        static string Phantom()
        {
            using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()));
            using var transaction = store.BeginTransaction();
            using (var scan = transaction.Scan(KeyRange.All)) Assert.False(scan.MoveNext());
            transaction.Put("first"u8, "x"u8);
            store.Put("phantom", "x");
            transaction.TryCommit();
            return $"{transaction.State}";
        }
    }

    [Fact]
    public void Two_that_read_what_the_other_writes_do_not_both_take_effect()
    {
        using var left = store.BeginTransaction();
        using var right = store.BeginTransaction(); // On the same thread: each is for itself, and neither waits.
        Assert.Equal("2"u8.ToArray(), left.Get("b"u8));
        Assert.Equal("1"u8.ToArray(), right.Get("a"u8));
        left.Put("a"u8, "0"u8);
        right.Put("b"u8, "0"u8);
        Assert.True(left.TryCommit());
        Assert.False(right.TryCommit());
        Assert.Equal("a=0 b=2", store.ReadAll());
    }

    [Fact]
    public void One_that_only_read_is_committed_whatever_others_did_and_one_that_only_wrote_too()
    {
        using var reader = store.BeginTransaction();
        Assert.Equal("a=1 b=2", All(reader));
        using var writer = store.BeginTransaction();
        writer.Put("a"u8, "blind"u8);
        store.Put("a", "other");
        reader.Commit();
        writer.Commit();
        Assert.Equal("blind", store.Get("a"));
    }

    [Fact]
    public void What_expires_between_read_and_commit_is_a_conflict_and_what_had_expired_is_absent()
    {
        store.Put("lease"u8, "x"u8, TimeSpan.FromMilliseconds(10));
        using var transaction = store.BeginTransaction();
        transaction.Put("own"u8, "x"u8, TimeSpan.FromMilliseconds(5));
        Assert.Equal("a=1 b=2 lease=x own=x", All(transaction));
        Assert.True(transaction.TryGetInfo("own"u8, out var info) && info.ExpiresAt is not null);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.False(transaction.ContainsKey("own"u8));
        var conflict = Assert.Throws<TransactionConflictException>(() => transaction.Commit());
        Assert.Equal("lease"u8.ToArray(), conflict.Key.ToArray());
        using var next = store.BeginTransaction();
        Assert.False(next.ContainsKey("lease"u8));
        next.Put("lease"u8, "y"u8);
        next.Commit();
        Assert.Equal("a=1 b=2 lease=y", store.ReadAll());
    }

    [Theory]
    [InlineData(ScanDirection.Forward, false), InlineData(ScanDirection.Backward, false)]
    [InlineData(ScanDirection.Forward, true), InlineData(ScanDirection.Backward, true)]
    public void Of_scanned_entries_that_expire_the_first_one_counts_also_where_its_caller_has_to_look(
        ScanDirection direction, bool isFlushed)
    {
        store.Put("l1"u8, "x"u8, TimeSpan.FromMilliseconds(30));
        store.Put("l2"u8, "x"u8, TimeSpan.FromMilliseconds(20));
        store.Put("l3"u8, "x"u8, TimeSpan.FromMilliseconds(40));
        foreach (var (milliseconds, isPassed) in ((int, bool)[])[(19, false), (1, true)])
        {
            using var transaction = store.BeginTransaction();
            var seen = 0;
            foreach (var entry in transaction.Scan(KeyRange.Prefix("l"u8), direction)) seen += entry.Value.Length;
            Assert.Equal(3, seen);
            transaction.Put("count"u8, "3"u8);
            store.Put("a", "out of the range");
            if (isFlushed) store.Compact(); // Then the leader cannot decide.
            clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
            if (!isPassed) transaction.Commit();
            else Assert.Equal("l2"u8.ToArray(), Assert.Throws<TransactionConflictException>(() => transaction.Commit()).Key.ToArray());
        }
    }

    [Fact]
    public void Who_has_read_more_than_a_leader_looks_for_does_so_itself_and_commits()
    {
        using var large = KeyValueStore.Open("/large", TestStore.Small(TestStore.NewDisk()) with { MemTableBytes = 4 << 20 });
        foreach (var (gets, seeks) in ((int, int)[])[(20_000, 0), (0, 1500)])
        {
            var before = large.GetStatistics().OvertakenWrites;
            using var transaction = large.BeginTransaction();
            for (var i = 0; i < gets; i++) Assert.False(transaction.ContainsKey(TestStore.Bytes($"{i}")));
            using var scan = transaction.Scan(KeyRange.Prefix("s"u8));
            for (var i = 0; i < seeks; i++) Assert.False(scan.Seek(TestStore.Bytes($"s{i}")));
            transaction.Put("count"u8, "0"u8);
            large.Put("other", "x"); // Behind its moment, so the leader cannot tell at a glance.
            Assert.True(transaction.TryCommit());
            Assert.True(large.GetStatistics().OvertakenWrites > before);
        }
    }

    [Fact]
    public void A_long_scan_in_a_store_that_others_write_to_is_checked_by_its_caller_and_commits()
    {
        var batch = new WriteBatch();
        using var large = KeyValueStore.Open("/large", TestStore.Small(TestStore.NewDisk()) with { MemTableBytes = 4 << 20 });
        for (var i = 0; i < 5000; i++) batch.Put(TestStore.Bytes($"k{i:d4}"), "v"u8);
        large.Write(batch);
        using var transaction = large.BeginTransaction();
        var count = 0;
        foreach (var entry in transaction.Scan(KeyRange.Prefix("k"u8))) count += entry.Value.Length;
        transaction.Put("count"u8, TestStore.Bytes($"{count}"));
        large.Put("other", "x"); // Behind its moment, so the leader cannot tell at a glance.
        Assert.True(transaction.TryCommit());
        Assert.Equal("5000", large.Get("count"));
        Assert.True(large.GetStatistics().OvertakenWrites > 0);
    }

    [Fact]
    public void Ended_transactions_refuse_everything_and_say_how_they_ended()
    {
        var committed = store.BeginTransaction();
        committed.Put("c"u8, "3"u8);
        var scan = committed.Scan(KeyRange.All);
        Assert.True(scan.Seek("c"u8));
        committed.Commit();
        Check(committed, TransactionState.Committed);
        Assert.Throws<TransactionEndedException>(() => scan.MoveNext());
        Assert.Throws<TransactionEndedException>(() => scan.Value.Length);
        scan.Dispose();
        var rolledBack = store.BeginTransaction();
        rolledBack.Rollback();
        Check(rolledBack, TransactionState.RolledBack);
        var disposed = store.BeginTransaction();
        disposed.Dispose();
        disposed.Dispose();
        Check(disposed, TransactionState.RolledBack);
        var conflicted = store.BeginTransaction();
        conflicted.Get("a"u8);
        conflicted.Put("d"u8, "x"u8);
        store.Put("a", "other");
        Assert.False(conflicted.TryCommit());
        Check(conflicted, TransactionState.Conflicted);
        Assert.Equal((0, 0), (store.GetStatistics().Snapshots, store.GetStatistics().Cursors));

        static void Check(KeyValueTransaction transaction, TransactionState state)
        {
            Action[] uses =
            [
                () => transaction.Get("a"u8), () => transaction.Get("a"u8, out _), () => transaction.ContainsKey("a"u8),
                () => transaction.TryGet("a"u8, new ArrayBufferWriter<byte>()), () => transaction.TryGet("a"u8, [], out _),
                () => transaction.TryGetInfo("a"u8, out _), () => transaction.MultiGet(["a"u8.ToArray()]),
                () => transaction.Scan(KeyRange.All), () => transaction.Put("a"u8, "x"u8),
                () => transaction.Put("a"u8, "x"u8, TimeSpan.FromDays(1)), () => transaction.Delete("a"u8),
                () => transaction.Commit(), () => transaction.TryCommit(),
            ];
            foreach (var use in uses) Assert.Equal(state, Assert.Throws<TransactionEndedException>(use).State);
            if (state != TransactionState.RolledBack) Assert.Throws<TransactionEndedException>(transaction.Rollback);
            transaction.Dispose();
            Assert.Equal(state, transaction.State);
        }
    }

    [Fact]
    public async Task A_commit_that_nobody_waits_for_ends_as_any_other_and_one_that_was_cancelled_leaves_the_transaction_open()
    {
        using var transaction = store.BeginTransaction();
        Assert.True(transaction.ContainsKey("a"u8));
        transaction.Put("c"u8, "3"u8);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await transaction.CommitAsync(cancellationToken: cancelled.Token));
        Assert.Equal(TransactionState.Open, transaction.State);
        await transaction.CommitAsync();
        using var conflicted = store.BeginTransaction();
        Assert.True(conflicted.ContainsKey("a"u8));
        conflicted.Put("d"u8, "x"u8);
        store.Delete("a");
        Assert.False(await conflicted.TryCommitAsync());
        await Assert.ThrowsAsync<TransactionEndedException>(async () => await conflicted.CommitAsync());
        using var blind = store.BeginTransaction();
        blind.Put("e"u8, "x"u8);
        Assert.True(await blind.TryCommitAsync(Durability.Unflushed));
        Assert.Equal("b=2 c=3 e=x", store.ReadAll());
    }

    [Fact]
    public void A_full_disk_refuses_a_commit_and_it_is_tried_again_when_there_is_room()
    {
        var small = new SimulatedFileSystem(isRecording: false) { CapacityBytes = 300 << 10 };
        using var full = KeyValueStore.Open("/full", TestStore.Small(small));
        using var transaction = full.BeginTransaction();
        Assert.False(transaction.ContainsKey("done"u8));
        for (var i = 0; i < 1000; i++) transaction.Put(TestStore.Bytes($"{i}"), new byte[500]);
        var refused = Assert.Throws<StorageException>(() => transaction.Commit());
        Assert.Equal((StorageErrorKind.NoSpace, TransactionState.Open), (refused.Kind, transaction.State));
        Assert.False(full.ContainsKey("0"u8));
        small.CapacityBytes = 8 << 20;
        transaction.Put("done"u8, "x"u8);
        transaction.Commit();
        Assert.True(full.ContainsKey("999"u8));
    }

    [Fact]
    public void A_failed_flush_leaves_a_commit_in_doubt_as_any_write()
    {
        var faulty = new FaultyFileSystem(TestStore.NewDisk());
        using var doubtful = KeyValueStore.Open("/doubtful", TestStore.Small(faulty));
        doubtful.Put("a", "1");
        using var transaction = doubtful.BeginTransaction();
        Assert.True(transaction.ContainsKey("a"u8));
        transaction.Put("b"u8, "2"u8);
        faulty.Add(new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { IsSticky = true });
        Assert.Throws<StorePoisonedException>(() => transaction.Commit());
        Assert.Equal(TransactionState.InDoubt, transaction.State);
        Assert.Throws<StorePoisonedException>(() => doubtful.PutIfAbsent("c"u8, "x"u8));
        Assert.False(doubtful.ContainsKey("b"u8));
    }

    [Fact]
    public void A_store_that_is_closed_meanwhile_refuses_reads_and_commits()
    {
        var closed = KeyValueStore.Open("/closed", TestStore.Small(TestStore.NewDisk()));
        using var transaction = closed.BeginTransaction();
        transaction.Put("a"u8, "x"u8);
        using var scan = transaction.Scan(KeyRange.All);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => transaction.Get("b"u8));
        Assert.Throws<ObjectDisposedException>(() => scan.MoveNext());
        Assert.Throws<ObjectDisposedException>(() => transaction.Put("b"u8, "x"u8));
        Assert.Throws<ObjectDisposedException>(() => transaction.Commit());
        Assert.Throws<ObjectDisposedException>(closed.BeginTransaction);
        Assert.Throws<ObjectDisposedException>(() => closed.Transact(_ => { }));
    }

    [Fact]
    public void Limits_hold_when_a_transaction_is_written_to_and_a_store_for_reading_takes_none()
    {
        using (var strict = KeyValueStore.Open("/strict", TestStore.Small(disk) with { MaxKeyBytes = 3, MaxValueBytes = 4 }))
        {
            using var transaction = strict.BeginTransaction();
            Assert.Throws<KeyLengthException>(() => transaction.Put("long"u8, default));
            Assert.Throws<ValueTooLongException>(() => transaction.Put("a"u8, "12345"u8));
            Assert.Throws<ValueTooLongException>(() => transaction.Put("a"u8, "12345"u8, TimeSpan.FromDays(1)));
            Assert.Throws<KeyLengthException>(() => transaction.Put(default, "1"u8));
            Assert.Throws<KeyLengthException>(() => transaction.Delete(default));
            Assert.Throws<ArgumentOutOfRangeException>("timeToLive", () => transaction.Put("a"u8, "1"u8, TimeSpan.Zero));
            Assert.Throws<ArgumentOutOfRangeException>(() => transaction.Commit((Durability)9));
            Assert.Throws<ArgumentOutOfRangeException>(() => transaction.Scan(KeyRange.All, (ScanDirection)9));
            Assert.Null(transaction.Get(default));
            Assert.Null(transaction.Get(new byte[100_000]));
            transaction.Put("a"u8, "1234"u8);
            transaction.Commit();
            Assert.Equal("a=1234", strict.ReadAll());
        }

        using var reading = KeyValueStore.Open("/strict", TestStore.Small(disk) with { ReadOnly = true });
        using var readOnly = reading.BeginTransaction();
        Assert.Equal("a=1234", All(readOnly));
        Assert.Throws<ReadOnlyStoreException>(() => readOnly.Put("b"u8, "1"u8));
        Assert.Throws<ReadOnlyStoreException>(() => reading.PutIfAbsent("b"u8, "1"u8));
        readOnly.Commit();
    }

    /// <remarks>A rival who is always faster, until he lets the other one pass.</remarks>
    [Theory, InlineData(false), InlineData(true)]
    public async Task An_action_that_is_overtaken_again_and_again_goes_alone_at_last(bool isAsynchronous)
    {
        var isOver = false;
        var overtakings = 0;
        var rival = Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref isOver)) store.Transact(Overtake, Durability.Unflushed);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (isAsynchronous) await store.TransactAsync(SlowlyAsync, Durability.Unflushed);
        else store.Transact(Slowly, Durability.Unflushed);
        Assert.Equal("slow"u8.ToArray(), store.Get("b"u8));
        Volatile.Write(ref isOver, true);
        await rival;

        void Overtake(KeyValueTransaction transaction)
        {
            transaction.Put("a"u8, transaction.Get("a"u8));
            Interlocked.Increment(ref overtakings);
        }

        // Two more than now: the first may have begun before.
        void Slowly(KeyValueTransaction transaction)
        {
            transaction.Get("a"u8);
            var before = Volatile.Read(ref overtakings);
            SpinWait.SpinUntil(() => Volatile.Read(ref overtakings) > before + 2, TimeSpan.FromMilliseconds(20));
            transaction.Put("b"u8, "slow"u8);
        }

        ValueTask SlowlyAsync(KeyValueTransaction transaction)
        {
            Slowly(transaction);
            return ValueTask.CompletedTask;
        }
    }

    /// <remarks>What it did before its first await would be committed, and what it did after would not.</remarks>
    [Fact]
    public void An_asynchronous_action_is_not_begun_by_a_call_that_does_not_wait_for_it()
    {
        var begun = 0;
        Assert.Throws<ArgumentException>("action", () => { _ = store.Transact(One); });
        Assert.Throws<ArgumentException>("action", () => { _ = store.Transact(transaction => One(transaction).ContinueWith(_ => 1)); });
        Assert.Throws<ArgumentException>("action", () => { _ = store.Transact(transaction => new ValueTask(One(transaction))).AsTask(); });
        Assert.Throws<ArgumentException>("action", () => { _ = store.Transact(_ => ValueTask.FromResult(begun++)).AsTask(); });
        Assert.Equal(0, begun);

        async Task One(KeyValueTransaction transaction)
        {
            begun++;
            transaction.Put("a"u8, "x"u8);
            await Task.Yield();
            transaction.Put("b"u8, "x"u8);
        }
    }

    [Fact]
    public async Task An_asynchronous_action_is_waited_for_and_carried_out_again_until_it_is_in_nobodys_way()
    {
        var attempts = 0;
        var seen = await store.TransactAsync(async transaction =>
        {
            var value = Encoding.UTF8.GetString(transaction.Get("a"u8)!);
            await Task.Yield();
            if (attempts++ < 2) store.Put("a", $"other {attempts}");
            transaction.Put("b"u8, "last"u8);
            return value;
        });
        Assert.Equal((3, "other 2"), (attempts, seen));
        Assert.Equal("a=other 2 b=last", store.ReadAll());
        await Assert.ThrowsAsync<TransactionConflictException>(async () => await store.TransactAsync(
            transaction =>
            {
                transaction.Get("a"u8);
                store.Put("a", "mine");
                transaction.Put("b"u8, "never"u8);
                return ValueTask.CompletedTask;
            },
            maxAttempts: 2));
        await store.TransactAsync(async transaction =>
        {
            await Task.Yield();
            transaction.Put("b"u8, "never"u8);
            transaction.Rollback();
        });
        await Assert.ThrowsAsync<NotSupportedException>(async () => await store.TransactAsync(async transaction =>
        {
            transaction.Put("b"u8, "never"u8);
            await Task.Yield();
            throw new NotSupportedException();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.TransactAsync(
            _ => throw new InvalidOperationException("It was begun."), cancellationToken: new CancellationToken(canceled: true)));
        Assert.Equal("a=mine b=last", store.ReadAll());
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    [Fact]
    public void An_action_is_carried_out_again_until_it_is_in_nobodys_way_and_given_up_when_it_throws()
    {
        var calls = 0;
        Assert.Equal(3, store.Transact(transaction =>
        {
            var seen = transaction.Get("a"u8)!.Length;
            if (calls++ < 2) store.Put("a", new string('x', calls + 1));
            transaction.Put("length"u8, TestStore.Bytes($"{seen}"));
            return seen;
        }));
        Assert.Equal((3, "3"), (calls, store.Get("length")));
        Assert.Throws<TransactionConflictException>(() => store.Transact(
            transaction =>
            {
                transaction.Get("a"u8);
                transaction.Put("never"u8, "x"u8);
                store.Put("a", "again");
            },
            maxAttempts: 3));
        var failure = Assert.Throws<InvalidDataException>(() => store.Transact(transaction =>
        {
            transaction.Put("never"u8, "x"u8);
            throw new InvalidDataException("the caller's own");
        }));
        Assert.Equal("the caller's own", failure.Message);
        store.Transact(transaction =>
        {
            transaction.Put("never"u8, "x"u8);
            transaction.Rollback();
        });
        Assert.Throws<ArgumentNullException>("action", () => store.Transact((Action<KeyValueTransaction>)null!));
        Assert.Throws<ArgumentOutOfRangeException>("maxAttempts", () => store.Transact(_ => { }, maxAttempts: 0));
        Assert.Null(store.Get("never"));
        Assert.Equal(0, store.GetStatistics().Snapshots);
    }

    static void Read(KeyValueTransaction transaction, string how)
    {
        switch (how)
        {
            case "get": Assert.NotNull(transaction.Get("a"u8)); break;
            case "get with info": Assert.NotNull(transaction.Get("a"u8, out _)); break;
            case "into a writer": Assert.True(transaction.TryGet("a"u8, new ArrayBufferWriter<byte>())); break;
            case "into a span": Assert.True(transaction.TryGet("a"u8, new byte[1], out _)); break;
            case "contains": Assert.True(transaction.ContainsKey("a"u8)); break;
            case "info": Assert.True(transaction.TryGetInfo("a"u8, out _)); break;
            case "several": Assert.NotNull(transaction.MultiGet(["b"u8.ToArray(), "a"u8.ToArray()])[1]); break;
            case "scan":
                {
                    using var scan = transaction.Scan(KeyRange.All);
                    Assert.True(scan.MoveNext());
                    break;
                }

            case "backward scan":
                {
                    using var scan = transaction.Scan(KeyRange.Before("b"u8), ScanDirection.Backward);
                    Assert.True(scan.MoveNext());
                    break;
                }

            default:
                {
                    using var scan = transaction.Scan(KeyRange.All, ScanDirection.Backward);
                    Assert.True(scan.Seek("a+"u8));
                    break;
                }
        }
    }

    static string All(KeyValueTransaction transaction, ScanDirection direction = ScanDirection.Forward)
    {
        var text = new List<string>();
        foreach (var entry in transaction.Scan(KeyRange.All, direction))
            text.Add($"{Encoding.UTF8.GetString(entry.Key)}={Encoding.UTF8.GetString(entry.Value)}");
        return string.Join(' ', text);
    }
}
