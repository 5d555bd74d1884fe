using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>The rules that hold of whatever a crash or a failing disk leaves of a scenario.</summary>
/// <remarks>
/// <list type="number">
/// <item>Every backup that was reported is whole, and restores what it was made of.</item>
/// <item>The archive has no gap; with a backup it restores all that it promised, and nothing that was never there.</item>
/// <item>The store opens, and holds what was promised and nothing that was not begun, as it was at one moment.</item>
/// <item>It is sound, goes on, and opens again; so do its archive and its backups.</item>
/// </list>
/// Opening and content are checked of every disk, the rest of one in <see cref="ThoroughOneIn"/>.
/// </remarks>
sealed class ScenarioCheck(StoreScenario scenario)
{
    public const ulong ThoroughOneIn = 8;

    readonly ScenarioOptions options = scenario.Options;

    public void Run(CrashState state) =>
        Run(state.Disk, state.Marks, state.Seed, isThorough: state.Seed % ThoroughOneIn == 0, state.RecoveryDone);

    public void Run(SimulatedFileSystem disk, IReadOnlyList<object> said, ulong seed, bool isThorough, Action? recoveryDone = null)
    {
        var marks = new ScenarioMarks(said);
        if (isThorough)
        {
            CheckBackups(disk, marks);
            if (options.Has(Features.Archive)) CheckArchive(disk, marks);
        }

        string found;
        using (var store = Open(marks, disk, seed))
        {
            recoveryDone?.Invoke();
            found = CheckContent(store, marks);
            if (!isThorough) return;
            if (store.Problems is [var problem, ..]) throw new ScenarioFailureException(FailureKind.Damaged, problem.Message, problem);
            if (options.Has(Features.Archive)) CheckArchiveGoesOn(store, disk, marks, found);
        }

        CheckGoesOn(disk, marks, seed, found);
    }

    ScenarioStore Open(ScenarioMarks marks, SimulatedFileSystem disk, ulong seed)
    {
        try
        {
            return ScenarioStore.Open(options, marks.Generation, disk, seed);
        }
        catch (AshlarException cause)
        {
            throw new ScenarioFailureException(FailureKind.DoesNotOpen, cause.Message, cause);
        }
    }

    string CheckContent(ScenarioStore store, ScenarioMarks marks)
    {
        try
        {
            var found = store.ReadAll();
            scenario.Model.RequireBetween(found, marks.PromisedOf, marks.Begun);
            return StoreModel.Describe(found);
        }
        catch (AshlarException cause)
        {
            throw new ScenarioFailureException(FailureKind.DoesNotOpen, $"it opens, but cannot be read: {cause.Message}", cause);
        }
    }

    void CheckGoesOn(SimulatedFileSystem disk, ScenarioMarks marks, ulong seed, string found)
    {
        const string Key = "zzz";
        SortedDictionary<string, string> expected;
        using (var store = Open(marks, disk, seed + 1))
        {
            expected = store.ReadAll();
            if (StoreModel.Describe(expected) is var again && again != found)
            {
                throw new ScenarioFailureException(
                    FailureKind.DoesNotGoOn, $"first {StoreModel.Shorten(found)}\nthen {StoreModel.Shorten(again)}");
            }

            if (options.Has(Features.Keyspaces)) OpenKeyspaces(store, expected);
            var batch = new WriteBatch();
            batch.Put(TestStore.Bytes(Key), "1"u8);
            var isAbsent = new WriteConditions().RequireAbsent(TestStore.Bytes(Key));
            if (!store.TryWrite(batch, isAbsent, Durability.Sync) || store.TryWrite(batch, isAbsent, Durability.Sync))
                throw new ScenarioFailureException(FailureKind.DoesNotGoOn, $"{Key} is absent, and then it is not, but that does not show");
            expected.Add(Key, "1");
            if (options.Has(Features.Backups))
            {
                var number = store.BackUp(BackupMode.Incremental);
                if (new ScenarioBackups(options, disk, marks.Generation, options.Seed).Verify(number) is [var problem, ..])
                    throw new ScenarioFailureException(FailureKind.Backup, $"the next backup: {problem.Message}", problem);
            }
        }

        using (var store = Open(marks, disk, seed + 2))
        {
            var last = store.ReadAll();
            if (!last.ContainsKey(Key)) throw new ScenarioFailureException(FailureKind.DoesNotGoOn, "a write after recovery is lost");
            if (StoreModel.Describe(last) != StoreModel.Describe(expected))
            {
                throw new ScenarioFailureException(
                    FailureKind.DoesNotGoOn,
                    $"{StoreModel.Shorten(StoreModel.Describe(expected))}\nbecame {StoreModel.Shorten(StoreModel.Describe(last))}");
            }

            if (store.Problems is [var problem, ..]) throw new ScenarioFailureException(FailureKind.Damaged, problem.Message, problem);
        }
    }

    // One that is new is empty, whatever had its name or its place before: the next look at everything shows it.
    static void OpenKeyspaces(ScenarioStore store, SortedDictionary<string, string> expected)
    {
        foreach (var name in KeyspaceKeys.Names)
        {
            var keyspace = store.OpenKeyspace(name);
            expected[KeyspaceKeys.Of(name)] = "";
            using var cursor = keyspace.Scan(KeyRange.All);
            var isEmpty = !cursor.MoveNext();
            var mayBe = !expected.Keys.Any(KeyspaceKeys.AllOf(name).Contains);
            if (isEmpty != mayBe) throw new ScenarioFailureException(FailureKind.DoesNotGoOn, $"{name} is opened, and has other keys");
        }
    }

    void CheckBackups(SimulatedFileSystem disk, ScenarioMarks marks)
    {
        var backups = new ScenarioBackups(options, disk, marks.Generation, options.Seed);
        foreach (var number in marks.Backups)
        {
            Guard(FailureKind.Backup, () =>
            {
                if (backups.Verify(number) is [var problem, ..]) throw problem;
                var text = Restored(disk, target => backups.Restore(number, target));
                var expected = StoreModel.Describe(scenario.BackupEntries[number]);
                if (text != expected)
                    throw new ScenarioFailureException(
                        FailureKind.Backup, $"backup {number} holds {StoreModel.Shorten(text)}\nand not {StoreModel.Shorten(expected)}");
            });
        }
    }

    void CheckArchive(SimulatedFileSystem disk, ScenarioMarks marks)
    {
        var backups = new ScenarioBackups(options, disk, marks.Generation, options.Seed);
        if (!disk.DirectoryExists(ScenarioOptions.ArchiveOf(marks.Generation))) return;
        Guard(FailureKind.Archive, () =>
        {
            if (backups.ArchiveProblems().FirstOrDefault() is { } problem) throw problem;
            if (marks.Archived is not { } archived || options.IsSharded) return;
            var target = NewDirectory(disk);
            backups.RestoreLatest(target);
            using var copy = ScenarioStore.OpenCopy(options, target, disk);
            scenario.Model.RequireBetween(copy.ReadAll(), _ => archived, marks.Begun);
        });
    }

    void CheckArchiveGoesOn(ScenarioStore store, SimulatedFileSystem disk, ScenarioMarks marks, string content)
    {
        var backups = new ScenarioBackups(options, disk, marks.Generation, options.Seed);
        Guard(FailureKind.Archive, () =>
        {
            store.ArchiveLog(); // It would be refused if the archive were ahead.
            if (backups.ArchiveProblems().FirstOrDefault() is { } problem) throw problem;
            var isEmpty = content.Length == 0 || !disk.List(ScenarioOptions.ArchiveOf(marks.Generation)).Any(IsPart);
            if (!marks.HasBackupHere || options.IsSharded || isEmpty) return;
            var text = Restored(disk, backups.RestoreLatest);
            if (text != content)
            {
                throw new ScenarioFailureException(
                    FailureKind.Archive,
                    $"""
                    restored {StoreModel.Shorten(text)}
                    the store holds {StoreModel.Shorten(content)}
                    {backups.Describe()}; the store through {store.LastSequence}
                    """);
            }
        });

        static bool IsPart(string name) => name.StartsWith("part-", StringComparison.Ordinal);
    }

    string Restored(SimulatedFileSystem disk, Action<string> restore)
    {
        var target = NewDirectory(disk);
        restore(target);
        using var copy = ScenarioStore.OpenCopy(options, target, disk);
        return StoreModel.Describe(copy.ReadAll());
    }

    // A restore that was cut off by a second crash leaves a directory that is not empty.
    static string NewDirectory(SimulatedFileSystem disk)
    {
        for (var number = 1; ; number++)
        {
            if (!disk.DirectoryExists($"/restored{number}")) return $"/restored{number}";
        }
    }

    static void Guard(FailureKind kind, Action check)
    {
        try
        {
            check();
        }
        catch (Exception cause) when (cause is AshlarException || cause is ScenarioFailureException failure && failure.Kind != kind)
        {
            throw new ScenarioFailureException(kind, cause.Message, cause);
        }
    }
}
