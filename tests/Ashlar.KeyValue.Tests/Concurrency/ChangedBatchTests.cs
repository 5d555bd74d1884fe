using System.Diagnostics;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A batch that its owner changes while it is written: the change is refused, the write is of what the batch held, and the store never
/// suffers.
/// </summary>
[Trait("disk", "any")]
public sealed class ChangedBatchTests
{
    static readonly (string Name, Action<WriteBatch> Change)[] Changes =
    [
        ("put", batch => batch.Put("other"u8, "2"u8)),
        ("expiring put", batch => batch.Put("other"u8, "2"u8, TimeSpan.FromHours(1), TimeProvider.System)),
        ("put with a moment", batch => batch.Put("other"u8, "2"u8, DateTimeOffset.MaxValue)),
        ("delete", batch => batch.Delete("other"u8)),
        ("clear", batch => batch.Clear()),
        ("claim", batch => batch.MayUseReserve = true),
        ("add", batch =>
        {
            foreach (var entry in One("other", 10)) batch.Add(entry);
        }),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_change_is_refused_until_the_write_has_completed(bool isAsync)
    {
        var disk = TestStore.AnyDisk();
        var (batch, refused, isArmed) = (One("key", 300), new List<string>(), false);
        var slow = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation is not (FaultOperations.Write or FaultOperations.Sync)
                    || !path.Contains("log-", StringComparison.Ordinal)) return;
                foreach (var (name, change) in Changes)
                {
                    Assert.Throws<InvalidOperationException>(() => change(batch));
                    refused.Add(name);
                }
            },
        };
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(slow)))
        {
            store.Put("before", "1");
            isArmed = true;
            if (isAsync) await store.WriteAsync(batch);
            else store.Write(batch);
            isArmed = false;
            Assert.Equal(Changes.Select(change => change.Name), refused.Distinct()); // And each again before the flush.
            Assert.True(refused.Count >= 2 * Changes.Length);
            foreach (var (_, change) in Changes) change(batch);
            Assert.Null(store.Failure);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Equal(300, reopened.Get("key"u8)!.Length);
        Assert.Null(reopened.Get("other"));
    }

    [Fact]
    public async Task A_batch_that_was_refused_or_cancelled_may_be_changed_at_once()
    {
        var release = new ManualResetEventSlim();
        var entered = new ManualResetEventSlim();
        var isArmed = false;
        var slow = new FaultyFileSystem(TestStore.AnyDisk())
        {
            BeforeOperation = (operation, path) =>
            {
                if (!isArmed || operation != FaultOperations.Sync || !path.Contains("log-", StringComparison.Ordinal)) return;
                isArmed = false;
                entered.Set();
                release.Wait();
            },
        };
        var options = TestStore.Small(slow) with { MaxKeyBytes = 5, MaxInFlightSyncs = 1 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        var batch = One("too long", 1);
        Assert.Throws<KeyLengthException>(() => store.Write(batch));
        await Assert.ThrowsAsync<KeyLengthException>(async () => await store.WriteAsync(batch));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Write(batch, (Durability)9));
        batch.Clear();

        store.Put("first", "1");
        isArmed = true;
        var busy = store.WriteAsync(One("busy", 1)).AsTask();
        entered.Wait();
        using var cancellation = new CancellationTokenSource();
        batch.Put("never"u8, "1"u8);
        var cancelled = store.WriteAsync(batch, cancellationToken: cancellation.Token).AsTask();
        var early = Record.Exception(batch.Clear);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var late = Record.Exception(batch.Clear);
        release.Set();
        await busy;
        Assert.IsType<InvalidOperationException>(early);
        Assert.Null(late);
        batch.Put("later"u8, "1"u8);
        await store.WriteAsync(batch);
        batch.Clear();
        Assert.Null(store.Get("never"));
        Assert.Equal("1", store.Get("later"));
        store.Dispose();
        batch.Put("x"u8, "1"u8);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.WriteAsync(batch));
        Assert.Throws<ObjectDisposedException>(() => store.Write(batch));
        batch.Clear();
    }

    [Fact]
    public void Threads_that_change_a_batch_while_others_write_it_do_the_store_no_harm()
    {
        var disk = TestStore.AnyDisk();
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk, inline: false)))
        {
            var batch = new WriteBatch();
            var (written, refused) = (0, 0);
            using var isOver = new CancellationTokenSource();
            var changers = Enumerable.Range(0, 2).Select(number => new Thread(() =>
            {
                var random = new SeededRandom((ulong)number + 1);
                while (!isOver.IsCancellationRequested)
                {
                    try
                    {
                        if (random.Next(4) == 0) batch.Clear();
                        else batch.Put(TestStore.Bytes($"key{random.Next(50)}"), new byte[random.Next(400)]);
                    }
                    catch (InvalidOperationException)
                    {
                        Interlocked.Increment(ref refused);
                    }
                }
            })).ToList();
            foreach (var changer in changers) changer.Start();
            var started = Stopwatch.StartNew();
            while ((written < 500 || Volatile.Read(ref refused) == 0) && started.Elapsed < TimeSpan.FromMinutes(1))
            {
                try
                {
                    store.Write(batch, Durability.Relaxed);
                    written++;
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref refused);
                }
            }

            isOver.Cancel();
            foreach (var changer in changers) changer.Join();
            Assert.True(refused > 0, "they never met");
            Assert.Null(store.Failure);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        Assert.Empty(reopened.Verify().Problems);
    }

    static WriteBatch One(string key, int valueBytes)
    {
        var batch = new WriteBatch();
        batch.Put(TestStore.Bytes(key), new byte[valueBytes]);
        return batch;
    }
}
