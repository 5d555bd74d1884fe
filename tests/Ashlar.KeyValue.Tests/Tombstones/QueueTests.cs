using System.Globalization;
using System.Text;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A store that is used as a queue, put to at one end and deleted from at the other, gives its next entry in a few steps.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class QueueTests(ITestOutputHelper output)
{
    const int Entries = 20_000;

    /// <summary>Seek, entries before a range is looked for, and those of a new one, twice: 64 tombstones and what they delete.</summary>
    const int MostSteps = 300;

    [Theory]
    [InlineData(ScanDirection.Forward, 0, 0)]
    [InlineData(ScanDirection.Backward, 0, 0)]
    [InlineData(ScanDirection.Forward, 1000, 0)] // Tables as well as memtables.
    [InlineData(ScanDirection.Backward, 1000, 0)]
    [InlineData(ScanDirection.Forward, 0, 3000)] // The consumer comes to the end again and again.
    [InlineData(ScanDirection.Backward, 0, 3000)]
    public void Its_next_entry_is_a_few_steps_away(ScanDirection direction, int flushEvery, int entriesAtOnce)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, new() { FileSystem = TestStore.AnyDisk() });
        var (put, taken, most) = (0, 0, 0L);
        while (taken < Entries)
        {
            for (var i = 0; i < (entriesAtOnce == 0 ? 2 : entriesAtOnce) && put < Entries; i++) Put(put++);
            for (var more = true; more && taken < Entries; more = entriesAtOnce != 0)
            {
                if (TakeNext(out var steps) is not { } key)
                {
                    most = Math.Max(most, steps);
                    break;
                }

                most = Math.Max(most, steps);
                Assert.Equal(taken, key);
                store.Delete(KeyOf(taken++), Durability.Relaxed);
                if (flushEvery > 0 && taken % flushEvery == 0) store.Flush();
            }
        }

        Assert.Null(TakeNext(out _));
        output.WriteLine($"at most {most} steps");
        Assert.InRange(most, 1, MostSteps);

        byte[] KeyOf(int number) =>
            TestStore.Bytes($"{(direction == ScanDirection.Forward ? number : 1_000_000 - number):d7}");

        void Put(int number) => store.Put(KeyOf(number), "job"u8, Durability.Relaxed);

        int? TakeNext(out long steps)
        {
            using var cursor = store.Scan(KeyRange.All, direction);
            var found = cursor.MoveNext();
            steps = cursor.Steps;
            if (!found) return null;
            var number = int.Parse(Encoding.UTF8.GetString(cursor.Key), CultureInfo.InvariantCulture);
            return direction == ScanDirection.Forward ? number : 1_000_000 - number;
        }
    }

    [Fact]
    public void Many_ranges_are_known_and_the_longest_unused_are_forgotten()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, new() { FileSystem = TestStore.AnyDisk() });
        const int Queues = 40, Each = 200;
        for (var queue = 0; queue < Queues; queue++)
        {
            for (var i = 0; i < Each; i++)
            {
                store.Put($"{queue:d3} {i:d5}", "job", Durability.Relaxed);
                if (i < Each - 1) store.Delete($"{queue:d3} {i:d5}");
            }
        }

        for (var round = 0; round < 2; round++)
        {
            for (var queue = 0; queue < Queues; queue++)
            {
                using var cursor = store.Scan(KeyRange.Prefix(TestStore.Bytes($"{queue:d3} ")));
                Assert.True(cursor.MoveNext());
                Assert.Equal($"{queue:d3} {Each - 1:d5}", Encoding.UTF8.GetString(cursor.Key));
                Assert.False(cursor.MoveNext());
            }
        }

        // Those of the last are still known.
        using var last = store.Scan(KeyRange.Prefix(TestStore.Bytes($"{Queues - 1:d3} ")));
        Assert.True(last.MoveNext());
        Assert.InRange(last.Steps, 1, 20);
    }
}
