using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>A scan over copies of salted keys whose reads fail, and which is then continued.</summary>
public sealed class FailedReadTests
{
    static readonly ShardedKeyValueOptions Options = new() { ShardCount = 3, SaltedPrefix = "hot/"u8.ToArray(), OneByOne = true };

    [Theory, InlineData(ScanDirection.Forward), InlineData(ScanDirection.Backward)]
    public void A_scan_that_goes_on_after_a_failed_read_gives_the_newest_copies_and_nothing_that_was_deleted(ScanDirection direction)
    {
        var disk = TestStore.NewDisk();
        using (var store = ShardedKeyValueStore.Open(TestStore.Directory, Options with { Store = TestStore.Small(disk) }))
        {
            for (var round = 0; round < 7; round++)
            {
                foreach (var key in (string[])["hot/a", "hot/b", "hot/c"]) store.Put(key, $"{key} {round}".PadRight(400));
            }

            store.Delete("hot/b");
            store.Put("plain", "p".PadRight(400));
        }

        var expected = "hot/a=6 hot/c=6 plain=p".Split(' ');
        if (direction == ScanDirection.Backward) Array.Reverse(expected);
        var failures = 0;
        for (var nth = 1; ; nth++)
        {
            var faulty = new FaultyFileSystem(disk);
            using var store = ShardedKeyValueStore.Open(
                TestStore.Directory, Options with { Store = TestStore.Small(faulty) with { BlockCacheBytes = 0 } });
            using var cursor = store.Scan(KeyRange.All, direction);
            var rule = new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { Nth = nth };
            faulty.Add(rule);
            Assert.Equal(expected, ReadAll(cursor));
            if (faulty.CountFired(rule) == 0) break;
            failures++;
        }

        Assert.True(failures > 3, $"{failures} reads");
    }

    static List<string> ReadAll(ShardedKeyValueCursor cursor)
    {
        var found = new List<string>();
        while (Retried(cursor.MoveNext))
        {
            var value = Retried(() => System.Text.Encoding.UTF8.GetString(cursor.Value)).TrimEnd();
            found.Add($"{System.Text.Encoding.UTF8.GetString(cursor.Key)}={value[^1]}");
        }

        return found;
    }

    static T Retried<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Storage.StorageException)
        {
            return step();
        }
    }
}
