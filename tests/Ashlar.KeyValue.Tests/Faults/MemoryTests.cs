using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Memory runs out at any allocation of the write path, of a flush, of a merge or of recovery: an error or a store that refuses to go on,
/// and what was promised is there when it is opened again.
/// </summary>
public sealed class MemoryTests(ITestOutputHelper output)
{
    static readonly Lazy<(MutatedEngine Engine, int Places)> CompiledEngine = new(Compile);

    [Fact]
    public void Memory_that_runs_out_anywhere_is_an_error_and_nothing_promised_is_lost()
    {
        _ = CompiledEngine.Value; // It takes its time.
        var first = TestSeeds.First(nameof(Memory_that_runs_out_anywhere_is_an_error_and_nothing_promised_is_lost));
        var (runs, refused, stopped) = (0, 0, 0);
        var places = new HashSet<string>(StringComparer.Ordinal);
        var failures = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < TestTier.Choose(2, 4); i++)
        {
            var seed = first + (ulong)i;
            var all = Run(seed, 0).Count;
            var random = SeededRandom.For(seed, "allocations");
            // Each of the first ones, which open the store, and then some of all.
            var few = TestTier.Choose(60, 500);
            var step = Math.Max(1, all / few);
            for (long failAt = 1; failAt <= all; failAt += 1 + random.Next((int)(2 * step) - 1))
            {
                var (_, failedAt, outcome, failure) = Run(seed, failAt);
                if (failure is not null) failures.TryAdd(failure.Message, $"seed {seed}, allocation {failAt}: {failure}");
                if (failedAt is null) continue;
                runs++;
                places.Add(failedAt);
                if (outcome == Outcome.Refused) refused++;
                if (outcome == Outcome.Stopped) stopped++;
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "memory that runs out (engine)",
            seed = first,
            runs,
            places = places.Count,
            of = CompiledEngine.Value.Places,
            refused,
            stopped,
            failures = 0,
        }));
        Assert.True(runs >= TestTier.Choose(50, 1_000) && places.Count >= 15, $"only {runs} runs at {places.Count} places");
        Assert.True(refused > 0 && stopped > 0, $"{refused} refused, {stopped} stopped");
    }

    static (long Count, string? FailedAt, Outcome Outcome, Exception? Failure) Run(ulong seed, long failAt)
    {
        (long Count, string? FailedAt, int Outcome) result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = ((long, string?, int))CompiledEngine.Value.Engine.Invoke(Scenario, [seed, failAt])!;
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromMinutes(2)), $"seed {seed}, allocation {failAt}: the store hangs");
        return (result.Count, result.FailedAt, (Outcome)result.Outcome, failure);
    }

    // Bound to the engine with the questions, so it says what happened in words of the runtime only.
    static (long Count, string? FailedAt, int Outcome) Scenario(ulong seed, long failAt)
    {
        var random = SeededRandom.For(seed, "operations");
        var disk = new SimulatedFileSystem(isRecording: false);
        var options = TestStore.Tiny(disk, seed);
        KeyValueStore.Open(TestStore.Directory, options).Dispose();
        var acknowledged = new Dictionary<string, int>(StringComparer.Ordinal);
        var begun = new Dictionary<string, int>(StringComparer.Ordinal);
        var outcome = Outcome.Passed;
        SimulatedHeap.Arm(failAt);
        var heap = (Count: 0L, FailedAt: (string?)null);
        try
        {
            Work();
        }
        catch (OutOfMemoryException)
        {
            outcome = Outcome.Refused; // It could not be opened, or closed.
        }
        finally
        {
            heap = SimulatedHeap.Disarm();
        }

        try
        {
            Check();
        }
        catch (Exception e)
        {
            throw new InvalidDataException($"No memory at {heap.FailedAt}: {e.Message}", e);
        }

        return (heap.Count, heap.FailedAt, (int)outcome);

        void Check()
        {
            using var after = KeyValueStore.Open(TestStore.Directory, options);
            foreach (var key in begun.Keys)
            {
                // A batch writes a pair: both are there, or none.
                var (one, other) = (Number(after.Get($"{key}a")), Number(after.Get($"{key}b")));
                if (one != other) throw new InvalidDataException($"half of a batch: {key} is {one} and {other}");
                var least = acknowledged.GetValueOrDefault(key);
                if (one < least || one > begun[key]) throw new InvalidDataException($"{key} is {one}: {least} was acknowledged");
            }

            if (!after.Verify().IsClean) throw new InvalidDataException($"{after.Verify().Problems[0].Message}");
            after.Put("more", "1");
            after.Compact();
        }

        void Work()
        {
            var store = KeyValueStore.Open(TestStore.Directory, options);
            try
            {
                for (var i = 1; i <= 60; i++)
                {
                    var key = $"key{random.Next(12):d2}";
                    var chance = random.Next(10);
                    try
                    {
                        begun[key] = i;
                        var batch = new WriteBatch();
                        var value = $"{i}".PadLeft(random.OneIn(4) ? 900 : random.Next(1, 120), '0');
                        batch.Put(TestStore.Bytes($"{key}a"), TestStore.Bytes(value));
                        batch.Put(TestStore.Bytes($"{key}b"), TestStore.Bytes(value));
                        store.Write(batch, Durability.Sync);
                        acknowledged[key] = i;
                        if (chance == 0) store.Flush();
                        if (chance == 1) store.Compact();
                        if (Number(store.Get($"{key}a")) is var found && found != i)
                            throw new InvalidDataException($"{key} reads {found} and not {i}");
                    }
                    catch (OutOfMemoryException)
                    {
                        if (outcome == Outcome.Passed) outcome = Outcome.Refused;
                    }
                    catch (AshlarException)
                    {
                        outcome = Outcome.Stopped;
                    }
                }
            }
            finally
            {
                try
                {
                    store.Dispose();
                }
                catch (Exception e) when (e is OutOfMemoryException or AshlarException)
                {
                    outcome = Outcome.Stopped;
                }
            }
        }

        static int Number(string? value) => value is null ? 0 : int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
    }

    static (MutatedEngine Engine, int Places) Compile()
    {
        var places = 0;
        var compiled = MutatedEngine.Rewrite((file, model, root) =>
        {
            var rewriter = new AllocationRewriter(file, model);
            var rewritten = rewriter.Visit(root);
            places += rewriter.Places;
            return rewritten;
        });
        return (compiled, places);
    }

    enum Outcome
    {
        /// <summary>Nobody noticed.</summary>
        Passed,

        /// <summary>A call failed, and the store went on.</summary>
        Refused,

        /// <summary>The store refused whatever came then.</summary>
        Stopped,
    }
}
