using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The first operation on the disk fails, then the second, and so on to the last, once or from then on. Whatever fails, what
/// was acknowledged is there after reopening on a healthy disk, and what was refused is not half there.
/// </summary>
public sealed class FaultSweepTests(ITestOutputHelper output)
{
    const string Directory = "/store";

    static KeyValueOptions Options(IFileSystem disk) => new()
    {
        FileSystem = disk,
        Entropy = new SeededEntropy(3),
        TimeProvider = new SimulatedClock(),
        MemTableBytes = 1500,
        SeparatedValueBytes = 100,
        LogSegmentBytes = 2048,
        TableBytes = 1024,
        BlockBytes = 256,
        LogChunkBytes = 1024,
        LevelZeroTables = 2,
        ManifestRewriteBytes = 400,
        BlockCacheBytes = 1 << 20,
        BackgroundInline = true,
    };

    [Theory]
    [InlineData(FaultKind.InputOutputError, false)]
    [InlineData(FaultKind.InputOutputError, true)]
    [InlineData(FaultKind.NoSpace, false)]
    [InlineData(FaultKind.NoSpace, true)]
    [InlineData(FaultKind.ShortWrite, false)]
    public void Any_change_of_the_disk_may_fail(FaultKind kind, bool isSticky) =>
        Sweep(new FaultRule(FaultOperations.Changes, kind) { IsSticky = isSticky });

    [Theory, InlineData(false), InlineData(true)]
    public void Any_sync_may_fail_and_lose_what_it_was_for(bool isSticky) =>
        Sweep(new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { IsSticky = isSticky });

    [Fact]
    public void Any_read_may_fail() =>
        Sweep(new FaultRule(FaultOperations.All & ~FaultOperations.Changes, FaultKind.InputOutputError));

    void Sweep(FaultRule rule)
    {
        var failed = FaultSweep.Run(rule, () => new SimulatedFileSystem(isRecording: false), Scenario);
        output.WriteLine($"{failed} operations made to fail");
        Assert.True(failed > 20);
    }

    static void Scenario(FaultyFileSystem disk)
    {
        // What the store may hold: the state at the last promise, and the states after each change since.
        var possible = new List<Dictionary<string, string>> { new() };
        var random = new SeededRandom(11);
        try
        {
            for (var session = 0; session < 2; session++)
            {
                using var store = KeyValueStore.Open(Directory, Options(disk));
                for (var i = 0; i < 22; i++) Step(store, random, possible, session == 0 ? i : 100 + i);
            }
        }
        catch (AshlarException)
        {
            // The store could not be opened or closed; what was promised must be there all the same.
        }

        disk.Heal();
        using (var store = KeyValueStore.Open(Directory, Options(disk)))
        {
            var found = Read(store);
            Assert.Contains(possible.Select(Describe), state => state == Describe(found));
            Assert.Empty(store.Verify().Problems);
            store.Put("after"u8, "x"u8);
        }

        using (var store = KeyValueStore.Open(Directory, Options(disk))) Assert.NotNull(store.Get("after"u8));
    }

    static void Step(KeyValueStore store, SeededRandom random, List<Dictionary<string, string>> possible, int number)
    {
        var after = new Dictionary<string, string>(possible[^1]);
        var batch = new WriteBatch();
        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var key = $"key{random.Next(8)}";
            var value = $"{number}.{i}".PadLeft(random.Next(10, 250));
            if (random.OneIn(4))
            {
                batch.Delete(Encoding.UTF8.GetBytes(key));
                after.Remove(key);
            }
            else
            {
                batch.Put(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));
                after[key] = value;
            }
        }

        var durability = random.OneIn(3) ? Durability.Relaxed : Durability.Sync;
        try
        {
            store.Write(batch, durability);
            if (durability == Durability.Sync) possible.Clear();
            possible.Add(after);
        }
        catch (StorePoisonedException)
        {
            // In doubt: it may be there, and reading goes on with what was published.
            possible.Add(after);
            ReadTolerantly(store);
            throw;
        }
        catch (AshlarException)
        {
            // Refused: nothing of it may ever be there, and the store goes on.
        }

        try
        {
            if (number % 9 == 8) store.Flush();
            if (number % 15 == 14) store.Compact();
        }
        catch (StorageException)
        {
        }
    }

    static void ReadTolerantly(KeyValueStore store)
    {
        try
        {
            Read(store);
        }
        catch (Exception error) when (error is StorageException or CorruptDataException)
        {
            // A value that was published and that the disk then lost is reported, never replaced by another.
        }
    }

    static Dictionary<string, string> Read(KeyValueStore store)
    {
        var found = new Dictionary<string, string>();
        using var cursor = store.Scan(KeyRange.All);
        while (cursor.MoveNext()) found[Encoding.UTF8.GetString(cursor.Key)] = Encoding.UTF8.GetString(cursor.Value);
        return found;
    }

    static string Describe(Dictionary<string, string> content) =>
        string.Join(';', content.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
}
