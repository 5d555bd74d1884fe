using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// Random writes, backups, power cuts and reopenings, then restores to random sequences and times: each must be what a model says
/// the store held then.
/// </summary>
public sealed class PointInTimeModelTests
{
    const string Archive = "/archive", Backups = "/backups";

    [Theory, Seeds(count: 20)]
    public void Every_moment_of_the_history_can_be_restored(ulong seed)
    {
        var world = new World(seed);
        for (var i = 0; i < 150; i++) world.Step();
        world.RestoreSome(12);
    }

    sealed class World(ulong seed)
    {
        readonly SeededRandom random = new(seed);
        readonly SimulatedClock clock = new();
        readonly bool inline = seed % 4 != 0;
        readonly List<Moment> moments = [];
        SimulatedFileSystem disk = new();
        KeyValueStore? opened;
        ulong firstBackup = ulong.MaxValue;
        int promised;

        readonly record struct Moment(ulong Sequence, DateTimeOffset Time, string Content, SortedDictionary<string, string> Model);

        KeyValueStore Store => opened ??= KeyValueStore.Open(TestStore.Directory, Options(disk));

        KeyValueOptions Options(SimulatedFileSystem on) => TestStore.Small(on, inline) with
        {
            TimeProvider = clock,
            Entropy = new SeededEntropy(random.NextUInt64()),
            LogArchiveDirectory = Archive,
            MemTableBytes = 2500,
            LogSegmentBytes = seed % 3 == 0 ? 1 << 20 : 3000,
            SeparatedValueBytes = (int)(seed % 5 * 30),
            SpaceAmplification = 1.1,
            TableBytes = 1024,
            LevelZeroTables = 2,
            RelaxedLossTime = TimeSpan.FromDays(1),
            LogArchiveInterval = TimeSpan.FromMinutes(1),
        };

        public void Step()
        {
            switch (random.Next(30))
            {
                case 0: Reopen(); break;
                case 1: LosePower(); break;
                case 2: Store.Flush(); break;
                case 3: Store.Compact(); break;
                case 4 or 5: Store.ArchiveLog(); Promise(); break;
                case 6: BackUp(); break;
                case 7: Prune(); break;
                case 8 when inline: clock.Advance(TimeSpan.FromSeconds(40)); break;
                case < 12: clock.Advance(TimeSpan.FromMilliseconds(random.Next(1, 50))); break;
                default: Write(); break;
            }
        }

        public void RestoreSome(int count)
        {
            if (firstBackup == ulong.MaxValue) BackUp();
            Write();
            Store.ArchiveLog();
            Assert.Empty(new LogArchive(Archive, Options(disk)).Verify().Problems);
            Assert.Equal(0, Store.GetStatistics().ArchiveLagBytes);
            var reachable = moments.Where(moment => moment.Sequence >= firstBackup).ToArray();
            for (var i = 0; i < count; i++)
            {
                var wanted = reachable[random.Next(reachable.Length)];
                var (point, expected) = random.Next(3) switch
                {
                    0 => (RestorePoint.AtSequence(wanted.Sequence), wanted),
                    // Between two groups, or within one: the last that is whole.
                    1 => (RestorePoint.AtSequence(wanted.Sequence + (ulong)random.Next(3)), wanted),
                    // The time of a backup may be one at which more was written later: then an older backup is the one to begin with.
                    _ => (RestorePoint.AtTime(wanted.Time), wanted),
                };
                if (point.Sequence is { } sequence)
                {
                    if (sequence > moments[^1].Sequence) continue;
                    expected = moments.Last(moment => moment.Sequence <= sequence);
                }
                else
                {
                    expected = moments.Last(moment => moment.Time <= wanted.Time);
                }

                var target = $"/restored{i}";
                var backups = new KeyValueBackups(Backups, Options(disk));
                RestoredPoint restored;
                try
                {
                    restored = backups.Restore(point, new LogArchive(Archive, Options(disk)), target);
                }
                catch (LogArchiveException error) when (error.Problem == LogArchiveProblem.NotCovered && point.Time is not null)
                {
                    // No backup is as old as that time, although one is as old as that sequence.
                    Assert.DoesNotContain(backups.List(), backup => backup.CommittedAt <= point.Time);
                    continue;
                }

                Assert.Equal((expected.Sequence, expected.Content), (restored.Sequence, Read(target)));
            }

            Store.Dispose();
        }

        string Read(string target)
        {
            using var store = KeyValueStore.Open(target, Options(disk) with { LogArchiveDirectory = null });
            return store.ReadAll();
        }

        void Write()
        {
            var next = new SortedDictionary<string, string>(moments.Count == 0 ? [] : moments[^1].Model, StringComparer.Ordinal);
            var batch = new WriteBatch();
            for (var count = random.OneIn(3) ? random.Next(1, 6) : 1; count > 0; count--)
            {
                var key = $"key{random.Next(20):d2}";
                if (random.OneIn(4))
                {
                    batch.Delete(TestStore.Bytes(key));
                    next.Remove(key);
                }
                else
                {
                    next[key] = $"{moments.Count}".PadLeft(random.Next(1, random.OneIn(10) ? 2000 : 150), 'v');
                    batch.Put(TestStore.Bytes(key), TestStore.Bytes(next[key]));
                }
            }

            var durability = (Durability)random.Next(3);
            Store.Write(batch, durability);
            moments.Add(new(Store.VisibleSequence, clock.GetUtcNow(), string.Join(' ', next.Select(pair => $"{pair.Key}={pair.Value}")), next));
            if (durability == Durability.Sync) Promise();
        }

        void BackUp()
        {
            var backup = Store.BackUp(Backups);
            Promise();
            if (moments.Count > 0) firstBackup = Math.Min(firstBackup, moments[^1].Sequence);
        }

        void Prune()
        {
            if (!disk.DirectoryExists(Backups)) return;
            var backups = new KeyValueBackups(Backups, Options(disk));
            var list = backups.List();
            if (list.Count > 1)
            {
                backups.Delete(list[0].Number);
                firstBackup = moments.First(moment => moment.Sequence >= list[1].Sequence || moment.Sequence == moments[^1].Sequence).Sequence;
            }

            if (Store is not null) new LogArchive(Archive, Options(disk)).Prune(backups);
        }

        void Promise() => promised = moments.Count;

        void Reopen()
        {
            Store.Dispose();
            opened = null;
            Promise();
        }

        void LosePower()
        {
            var after = disk.LosePower(random.NextUInt64());
            Store.Dispose();
            disk = after;
            opened = null;
            var found = Store.ReadAll();
            var survived = moments.FindLastIndex(moment => moment.Content == found);
            if (survived + 1 < promised) throw new InvalidOperationException($"{promised} changes were promised, {survived + 1} are there");
            moments.RemoveRange(survived + 1, moments.Count - survived - 1);
            Promise();
        }
    }
}
