using System.Globalization;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// What was put is found by every scan that begins afterwards, also where others find nothing but tombstones at that moment.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class DeletedRangeConcurrencyTests
{
    const int Keys = 100, Rounds = 3000, Scanners = 2;

    [Theory]
    [InlineData(ScanDirection.Forward, 0)]
    [InlineData(ScanDirection.Backward, 0)]
    [InlineData(ScanDirection.Forward, 10)] // Memtables are exchanged meanwhile.
    [InlineData(ScanDirection.Backward, 10)]
    [InlineData(ScanDirection.Forward, 0, true)]
    [InlineData(ScanDirection.Backward, 0, true)]
    public async Task A_put_into_a_range_of_tombstones_is_found(ScanDirection direction, int flushEvery, bool deletesRanges = false)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, new() { FileSystem = TestStore.AnyDisk() });
        for (var key = 0; key < Keys; key++)
        {
            store.Put(KeyOf(key), "x"u8, Durability.Relaxed);
            store.Delete(KeyOf(key), Durability.Relaxed);
        }

        using var stop = new CancellationTokenSource();
        using var started = new CountdownEvent(Scanners);
        var scanners = Enumerable.Range(0, Scanners).Select(_ => Task.Factory.StartNew(
            () =>
            {
                started.Signal();
                while (!stop.IsCancellationRequested) Count(store, direction);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        started.Wait(CancellationToken.None);
        var random = new Random(17);
        try
        {
            for (var round = 0; round < (deletesRanges ? Rounds / 5 : Rounds); round++)
            {
                var key = KeyOf(random.Next(Keys));
                store.Put(key, "x"u8, Durability.Relaxed);
                Assert.Equal(1, Count(store, direction));
                if (deletesRanges) store.DeleteRange(KeyRange.All, Durability.Relaxed);
                else store.Delete(key, Durability.Relaxed);
                Assert.Equal(0, Count(store, direction));
                if (flushEvery > 0 && round % flushEvery == 0) store.Flush();
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await Task.WhenAll(scanners);
    }

    static int Count(KeyValueStore store, ScanDirection direction)
    {
        var count = 0;
        using var cursor = store.Scan(KeyRange.All, direction);
        while (cursor.MoveNext()) count++;
        return count;
    }

    static byte[] KeyOf(int key) => TestStore.Bytes(key.ToString("d4", CultureInfo.InvariantCulture));
}
