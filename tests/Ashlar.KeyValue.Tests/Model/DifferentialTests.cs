using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The same operations on stores that are opened differently: caches, memtables, places of values, sizes of files and threads are nobody's
/// business, so that every answer is the same.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class DifferentialTests(ITestOutputHelper output)
{
    const int Operations = 60;

    [Fact]
    public void Whatever_the_options_are_every_answer_is_the_same()
    {
        var first = TestSeeds.First(nameof(Whatever_the_options_are_every_answer_is_the_same));
        var sequences = TestTier.Choose(60, 2000);
        var answers = 0L;
        Parallel.For(0, sequences, new ParallelOptions { MaxDegreeOfParallelism = 2 }, number =>
        {
            var seed = first + (ulong)number;
            var expected = AnswersOf(seed, Expected(TestStore.AnyDisk()));
            foreach (var (name, options) in Variants(seed))
            {
                var actual = AnswersOf(seed, options);
                for (var i = 0; i < expected.Count; i++)
                    Assert.True(expected[i] == actual[i], $"seed {seed}, {name}, answer {i}: {actual[i]}\ninstead of {expected[i]}");
                Assert.Equal(expected.Count, actual.Count);
            }

            Interlocked.Add(ref answers, expected.Count);
        });
        Assert.True(answers >= sequences * 20, $"only {answers} answers");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "engine differential", seed = first, sequences, answers, variants = 6, failures = 0 }));
    }

    // Everything in one memtable, nothing merged, values beside their keys: hardly more than a dictionary.
    static KeyValueOptions Expected(IFileSystem disk) =>
        TestStore.Small(disk) with { MemTableBytes = 8 << 20, SeparatedValueBytes = int.MaxValue };

    static IEnumerable<(string Name, KeyValueOptions Options)> Variants(ulong seed)
    {
        var small = RandomHistory.Options(TestStore.AnyDisk(), seed);
        yield return ("small", small);
        yield return ("no cache", Fresh(small) with { BlockCacheBytes = 0 });
        yield return ("all values in the log", Fresh(small) with { SeparatedValueBytes = 0, LogSegmentBytes = 1500 });
        yield return ("all values in tables", Fresh(small) with { SeparatedValueBytes = int.MaxValue, LevelZeroTables = 8 });
        yield return ("one file open", Fresh(small) with { MaxOpenFiles = 1, SeparatedValueBytes = 60 });
        yield return ("threads", Fresh(small) with { BackgroundInline = false, BackgroundThreads = 1 + (int)(seed % 2) });

        static KeyValueOptions Fresh(KeyValueOptions options) => options with { FileSystem = TestStore.AnyDisk() };
    }

    static List<string> AnswersOf(ulong seed, KeyValueOptions options)
    {
        var random = new SeededRandom(seed);
        var answers = new List<string>();
        var snapshots = new Queue<KeyValueSnapshot>();
        var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var step = 0; step < Operations; step++)
        {
            switch (random.Next(14))
            {
                case 0:
                    while (snapshots.TryDequeue(out var open)) open.Dispose();
                    store.Dispose();
                    store = KeyValueStore.Open(TestStore.Directory, options);
                    break;
                case 1: store.Flush(); break;
                case 2: store.Compact(); break;
                case 3:
                    if (snapshots.Count < 3)
                    {
                        snapshots.Enqueue(store.CreateSnapshot());
                        break;
                    }

                    using (var oldest = snapshots.Dequeue()) answers.Add(oldest.Scan(KeyRange.All, Direction()).ReadAll());
                    break;
                case 4: answers.Add(store.ReadAll(Direction())); break;
                case 5:
                    var (from, to) = (random.Next(20), random.Next(20));
                    answers.Add(store.Scan(KeyRange.Between(Key(Math.Min(from, to)), Key(Math.Max(from, to))), Direction()).ReadAll());
                    break;
                case 6 or 7: answers.Add(store.Get($"key{random.Next(20):d2}") ?? "none"); break;
                case 8: answers.Add($"{store.VisibleSequence}"); break;
                default: Write(step); break;
            }
        }

        while (snapshots.TryDequeue(out var last)) last.Dispose();
        answers.Add(store.ReadAll());
        store.Dispose();
        return answers;

        ScanDirection Direction() => random.OneIn(2) ? ScanDirection.Forward : ScanDirection.Backward;

        byte[] Key(int number) => TestStore.Bytes($"key{number:d2}");

        void Write(int step)
        {
            var batch = new WriteBatch();
            for (var count = random.Next(1, 4); count > 0; count--)
            {
                var key = Key(random.Next(20));
                if (random.OneIn(4)) batch.Delete(key);
                else batch.Put(key, TestStore.Bytes($"{step}.{count}".PadLeft(random.OneIn(6) ? 900 : random.Next(6, 120), '.')));
            }

            store.Write(batch, (Durability)random.Next(3));
        }
    }
}
