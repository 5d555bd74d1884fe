using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The clock is set by hours and years, or stopped, all the time, also in the middle of an operation. What expires goes by what it says,
/// what waits by the time that passes, nothing hangs, and nothing is lost.
/// </summary>
public sealed class ClockJumpTests(ITestOutputHelper output)
{
    const int Operations = 120;

    [Fact]
    public void What_expires_goes_by_the_clock_on_the_wall_and_nothing_else_does()
    {
        var first = TestSeeds.First(nameof(What_expires_goes_by_the_clock_on_the_wall_and_nothing_else_does));
        var cases = TestTier.Choose(30, 600);
        var (jumps, gone, back, backups, durable) = (0, 0, 0, 0, 0);
        var run = Task.Run(() =>
        {
            for (var i = 0; i < cases; i++)
            {
                var world = new World(first + (ulong)i);
                try
                {
                    for (var operation = 0; operation < Operations; operation++) world.Step();
                    world.End();
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException($"Seed {first + (ulong)i}: {failure.Message}", failure);
                }

                (jumps, gone, back) = (jumps + world.Jumps, gone + world.Gone, back + world.Back);
                (backups, durable) = (backups + world.Backups, durable + world.Durable);
            }
        });
        Assert.True(run.Wait(TimeSpan.FromMinutes(10)), "A store hangs.");
        Assert.True(
            jumps >= 10 * cases && gone >= 5 * cases && back >= cases / 3 && backups >= cases && durable >= cases,
            $"only {jumps} jumps, {gone} gone, {back} back, {backups} backups, {durable} durable by the time that passed");
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "clock jumps (engine)", seed = first, cases, jumps, gone, back, backups, durable, failures = 0 }));
    }

    sealed class World
    {
        const string BackupDirectory = "/backups", Archive = "/archive";

        readonly SeededRandom random;
        readonly JumpyClock clock;
        readonly KeyValueOptions options;
        readonly SimulatedFileSystem disk = new(isRecording: false);
        readonly Dictionary<string, (string Value, DateTimeOffset ExpiresAt)> model = new(StringComparer.Ordinal);
        readonly HashSet<string> wereGone = new(StringComparer.Ordinal);
        KeyValueStore store;
        int values;

        public World(ulong seed)
        {
            random = SeededRandom.For(seed, "operations");
            clock = new(seed);
            options = TestStore.Tiny(disk, seed) with { TimeProvider = clock, LogArchiveDirectory = seed % 2 == 0 ? Archive : null };
            store = KeyValueStore.Open(TestStore.Directory, options);
        }

        public int Jumps => clock.Jumps;

        /// <summary>Reads that found an entry expired.</summary>
        public int Gone { get; private set; }

        /// <summary>Reads that found one again that had been expired before the clock was set back.</summary>
        public int Back { get; private set; }

        public int Backups { get; private set; }

        /// <summary>Writes that nobody flushed and the time that passed made durable.</summary>
        public int Durable { get; private set; }

        public void Step()
        {
            clock.Watch();
            switch (random.Next(24))
            {
                case 0: store.Flush(); break;
                case 1: store.Compact(); break;
                case 2: Reopen(); break;
                case 3: BackUp(); break;
                case 4: WaitForDurability(); break;
                case 5: clock.Advance(TimeSpan.FromMinutes(random.Next(1, 90))); break;
                case 6: CheckStatistics(); break;
                case < 9: Scan(); break;
                case < 15: CheckKey(Key()); break;
                default: Write(Durability.Sync); break;
            }
        }

        public void End()
        {
            Reopen();
            Scan();
            Assert.True(store.Verify().IsClean, "the store does not verify");
            store.Dispose();
            if (Backups == 0) return;
            var catalogue = new KeyValueBackups(BackupDirectory, options);
            var all = catalogue.List();
            Assert.Equal(Enumerable.Range(1, all.Count).Select(number => (ulong)number), all.Select(backup => backup.Number).Order());
            catalogue.Restore(all.Max(backup => backup.Number), "/restored");
            KeyValueStore.Open("/restored", options).Dispose();
        }

        void Write(Durability durability)
        {
            var (key, value) = (Key(), $"{++values}".PadLeft(random.Next(1, 200), 'v'));
            var batch = new WriteBatch();
            var expiresAt = DateTimeOffset.MaxValue;
            if (random.OneIn(2))
            {
                var milliseconds = clock.LatestEver.ToUnixTimeMilliseconds();
                expiresAt = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) + random.Next(4) switch
                {
                    0 => TimeSpan.FromMilliseconds(random.Next(-20, 20)),
                    1 => TimeSpan.FromMinutes(random.Next(-90, 90)),
                    2 => TimeSpan.FromDays(random.Next(-400, 400)),
                    _ => TimeSpan.FromSeconds(random.Next(1, 10)),
                };
                batch.Put(TestStore.Bytes(key), TestStore.Bytes(value), expiresAt);
            }
            else
            {
                batch.Put(TestStore.Bytes(key), TestStore.Bytes(value));
            }

            store.Write(batch, durability);
            model[key] = (value, expiresAt);
            wereGone.Remove(key);
        }

        void CheckKey(string key) => Check(key, store.Get(key));

        void Scan()
        {
            var found = new Dictionary<string, string>(StringComparer.Ordinal);
            using (var cursor = store.Scan(KeyRange.All))
            {
                while (cursor.MoveNext()) found.Add(Encoding.UTF8.GetString(cursor.Key), Encoding.UTF8.GetString(cursor.Value));
            }

            Assert.Empty(found.Keys.Except(model.Keys));
            foreach (var key in model.Keys) Check(key, found.GetValueOrDefault(key));
        }

        // While the clock jumps an operation may hear any of what the clock said during it, and background work what it said before.
        void Check(string key, string? found)
        {
            if (!model.TryGetValue(key, out var expected))
            {
                Assert.Null(found);
                return;
            }

            var earliest = DateTimeOffset.FromUnixTimeMilliseconds(clock.Earliest.ToUnixTimeMilliseconds());
            if (found is not null)
            {
                Assert.Equal(expected.Value, found);
                Assert.True(expected.ExpiresAt > earliest, $"{key} is there after its time, {expected.ExpiresAt:O}: it was {earliest:O}");
                if (wereGone.Remove(key)) Back++;
                return;
            }

            Assert.True(expected.ExpiresAt <= clock.LatestEver, $"{key} is gone before its time, {expected.ExpiresAt:O}");
            Gone++;
            wereGone.Add(key);
        }

        void Reopen()
        {
            store.Dispose();
            store = KeyValueStore.Open(TestStore.Directory, options);
        }

        void BackUp()
        {
            var backup = store.BackUp(BackupDirectory);
            Backups++;
            Assert.InRange(backup.TakenAt, clock.Earliest.AddMilliseconds(-1), clock.Latest);
        }

        // What nobody waits for is durable when its time has passed, whatever the wall says.
        void WaitForDurability()
        {
            Write(Durability.Relaxed);
            clock.Advance(options.RelaxedLossTime);
            Assert.True(
                SpinWait.SpinUntil(() => store.DurableSequence == store.VisibleSequence, TimeSpan.FromMinutes(1)), "it is never flushed");
            Durable++;
        }

        void CheckStatistics()
        {
            var statistics = store.GetStatistics();
            Assert.InRange(statistics.ArchiveLag, TimeSpan.Zero, clock.Elapsed);
            Assert.InRange(statistics.StallTime, TimeSpan.Zero, clock.Elapsed);
        }

        string Key() => $"key{random.Next(25):d2}";
    }
}
