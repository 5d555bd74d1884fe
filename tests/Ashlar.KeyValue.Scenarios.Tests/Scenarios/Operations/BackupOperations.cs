namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Makes a backup.</summary>
sealed class BackUpOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Backups) ? 3 : 0;

    public void Run(ScenarioRun run) => BackUp(run);

    public static bool BackUp(ScenarioRun run)
    {
        var number = 0UL;
        var mode = run.Random.OneIn(4) ? BackupMode.Full : BackupMode.Incremental;
        if (!run.Try(() => number = run.Store.BackUp(mode))) return false;
        run.Backups.Add(number, run.Model.Copy());
        run.BackupEntries[number] = run.Model.Copy();
        run.Promise();
        run.Mark(new BackedUp(number));
        run.Counts.Backups++;
        return true;
    }
}

/// <summary>Deletes a backup.</summary>
sealed class DeleteBackupOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Backups) ? 1 : 0;

    public void Run(ScenarioRun run)
    {
        if (run.Backups.Count > 1) Delete(run, run.Random.Pick(run.Backups.Keys.ToArray()));
    }

    public static void Delete(ScenarioRun run, ulong number)
    {
        run.Mark(new BackupGoes(number));
        run.Backups.Remove(number);
        if (run.Try(() => run.BackupFiles.Delete(number))) run.Counts.DeletedBackups++;
    }
}

/// <summary>The store is lost: it is restored from a backup, and goes on from there.</summary>
sealed class RestoreOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Backups) ? 1 : 0;

    public void Run(ScenarioRun run)
    {
        if (run.Backups.Count == 0) return;
        var (number, content) = run.Random.Pick(run.Backups.ToArray());
        run.Close();
        var generation = run.NewGeneration();
        if (run.Try(() => run.BackupFiles.Restore(number, ScenarioOptions.DirectoryOf(generation))))
        {
            run.Move(generation, content);
            run.Counts.Restored++;
        }

        run.Open();
        ReadOperation.ReadAll(run);
    }
}

/// <summary>The store is given up: what can be read of it becomes another one. Nothing was lost, so all of it can.</summary>
sealed class RepairOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Repair) && !options.IsSharded ? 1 : 0;

    public void Run(ScenarioRun run)
    {
        run.Close();
        var generation = run.NewGeneration();
        var (source, target) = (ScenarioOptions.DirectoryOf(run.Generation), ScenarioOptions.DirectoryOf(generation));
        RepairReport? report = null;
        if (run.Try(() => report = KeyValueRepair.Run(source, target, run.Options.Store(run.Seen, run.NewEntropy(), run.Generation))))
        {
            // It may have failed to read something, and says so.
            if (report!.Losses.Count == 0)
            {
                run.Move(generation, run.Model.Copy());
                run.Counts.Repaired++;
            }
            else if (!run.HasFaults)
            {
                throw new ScenarioFailureException(FailureKind.Damaged, $"a repair of a sound store loses {report.Losses[0]}");
            }
        }

        run.Open();
        ReadOperation.ReadAll(run);
    }
}
