using System.Buffers.Binary;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>Readers and writers at once, with flushes and compactions under them.</summary>
[Trait("disk", "any")]
public sealed class ConcurrencyTests
{
    static KeyValueStore OpenSmall(SimulatedFileSystem? disk = null) => KeyValueStore.Open(
        TestStore.Directory, TestStore.Small(disk ?? TestStore.AnyDisk(), inline: false) with { TimeProvider = TimeProvider.System });

    [Fact]
    public async Task A_writer_reads_its_own_writes_and_never_an_older_value_of_another()
    {
        using var store = OpenSmall();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            var key = TestStore.Bytes($"writer {writer}");
            var other = TestStore.Bytes($"writer {(writer + 1) % 4}");
            var value = new byte[100];
            var last = 0;
            for (var i = 1; i <= 1500; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(value, i);
                store.Put(key, value, i % 3 == 0 ? Durability.Sync : Durability.Relaxed);
                Assert.Equal(i, BinaryPrimitives.ReadInt32LittleEndian(store.Get(key)));
                if (store.Get(other) is not { } seen) continue;
                var number = BinaryPrimitives.ReadInt32LittleEndian(seen);
                Assert.True(number >= last, $"{number} after {last}");
                last = number;
            }
        })));
        Assert.True(store.GetStatistics().Flushes > 0);
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public async Task A_batch_is_seen_as_a_whole_by_cursors_and_snapshots()
    {
        using var store = OpenSmall();
        using var done = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(() =>
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 1200; i++)
            {
                var value = TestStore.Bytes($"{writer} {i} {new string('x', i % 150)}");
                batch.Clear();
                batch.Put("left"u8, value);
                batch.Put("right"u8, value);
                store.Write(batch, i % 4 == 0 ? Durability.Sync : Durability.Relaxed);
            }
        })).ToArray();
        var readers = Enumerable.Range(0, 2).Select(reader => Task.Run(() =>
        {
            var rounds = 0;
            do
            {
                using var snapshot = store.CreateSnapshot();
                Assert.Equal(snapshot.Get("left"), snapshot.Get("right"));
                var seen = new List<string>();
                using var cursor = store.Scan(KeyRange.All, reader == 0 ? ScanDirection.Forward : ScanDirection.Backward);
                while (cursor.MoveNext()) seen.Add(System.Text.Encoding.UTF8.GetString(cursor.Value));
                Assert.True(seen.Count is 0 or 2);
                if (seen.Count == 2) Assert.Equal(seen[0], seen[1]);
                rounds++;
            }
            while (!done.IsCancellationRequested);

            return rounds;
        })).ToArray();
        await Task.WhenAll(writers);
        await done.CancelAsync();
        foreach (var reader in readers) Assert.True(await reader > 0);
    }

    [Fact]
    public async Task Snapshots_hold_still_while_compactions_run()
    {
        using var store = OpenSmall();
        for (var i = 0; i < 200; i++) store.Put($"{i:d3}", "0");
        using var snapshot = store.CreateSnapshot();
        var expected = store.ReadAll();
        var writer = Task.Run(() =>
        {
            var random = new SeededRandom(3);
            for (var i = 0; i < 4000; i++)
            {
                var key = $"{random.Next(200):d3}";
                if (random.OneIn(3)) store.Delete(TestStore.Bytes(key), Durability.Relaxed);
                else store.Put(key, new string('x', random.Next(100)), Durability.Relaxed);
            }
        });
        do Assert.Equal(expected, snapshot.Scan(KeyRange.All).ReadAll());
        while (!writer.IsCompleted);
        await writer;
        store.Compact();
        Assert.Equal(expected, snapshot.Scan(KeyRange.All).ReadAll());
        Assert.True(store.GetStatistics().Compactions > 1);
    }

    [Fact]
    public async Task Writes_in_flight_from_one_thread_share_flushes_and_keep_their_order()
    {
        var disk = TestStore.NewDisk();
        using var store = OpenSmall(disk);
        using var all = new ManualResetEventSlim();
        disk.DuringSync = _ => all.Wait();
        var writes = new List<Task>();
        for (var i = 0; i < 500; i++)
        {
            var batch = new WriteBatch();
            batch.Put("counter"u8, TestStore.Bytes($"{i}"));
            batch.Put(TestStore.Bytes($"{i:d3}"), "x"u8);
            writes.Add(store.WriteAsync(batch).AsTask());
        }

        disk.DuringSync = null;
        all.Set(); // All are outstanding: no flush has ended yet.
        await Task.WhenAll(writes);
        Assert.Equal("499", store.Get("counter"));
        Assert.Equal(1000UL, store.DurableSequence);
        Assert.True(store.GetStatistics().CommitGroups < 500);
    }

    [Fact]
    public async Task Blocking_and_asynchronous_writers_hand_leadership_to_each_other()
    {
        using var store = OpenSmall();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Run(async () =>
        {
            var batch = new WriteBatch();
            for (var i = 0; i < 300; i++)
            {
                batch.Clear();
                batch.Put(TestStore.Bytes($"{writer} {i:d3}"), "x"u8);
                var durability = (Durability)((i + writer) % 3);
                if (writer % 2 == 0) await store.WriteAsync(batch, durability);
                else store.Write(batch, durability);
            }
        })));
        Assert.Equal(1800UL, store.VisibleSequence);
        Assert.Equal(1800, store.ReadAll().Split(' ').Count(part => part.EndsWith("=x", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Closing_while_others_write_completes_or_refuses_each_write()
    {
        var disk = TestStore.NewDisk();
        var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk, inline: false));
        var acknowledged = new int[4];
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            for (var i = 0; ; i++)
            {
                store.Put($"{writer} {i:d6}", "x");
                Volatile.Write(ref acknowledged[writer], i + 1);
            }
        })).ToArray();
        while (acknowledged.Sum() < 1000) await Task.Yield();
        await store.DisposeAsync();
        foreach (var writer in writers) await Assert.ThrowsAsync<ObjectDisposedException>(() => writer);
        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        for (var writer = 0; writer < 4; writer++)
        {
            for (var i = 0; i < acknowledged[writer]; i++) Assert.Equal("x", reopened.Get($"{writer} {i:d6}"));
        }
    }

    [Fact]
    public async Task A_cancelled_write_is_not_begun()
    {
        using var store = OpenSmall();
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        await Assert.ThrowsAsync<OperationCanceledException>(() =>
            store.WriteAsync(batch, cancellationToken: new CancellationToken(true)).AsTask());
        Assert.Null(store.Get("a"));
    }
}
