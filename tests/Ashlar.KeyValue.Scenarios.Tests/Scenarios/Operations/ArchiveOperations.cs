namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Archives the log.</summary>
sealed class ArchiveOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Archive) ? 4 : 0;

    public void Run(ScenarioRun run)
    {
        // What is durable anyway, as happens in the background, promises nothing.
        if (run.Random.OneIn(2)) run.Try(run.Store.ArchiveDurableLog);
        else Archive(run);
    }

    public static bool Archive(ScenarioRun run)
    {
        if (!run.Try(run.Store.ArchiveLog)) return false;
        run.Promise();
        run.Mark(new Archived(run.Model.Step));
        return true;
    }
}

/// <summary>Makes a backup, deletes all others, and then what nothing needs any more of the archive.</summary>
sealed class PruneOperation : IScenarioOperation
{
    public int WeightIn(ScenarioOptions options) => options.Has(Features.Archive) ? 2 : 0;

    public void Run(ScenarioRun run)
    {
        if (!ArchiveOperation.Archive(run) || !BackUpOperation.BackUp(run)) return;
        foreach (var number in run.Backups.Keys.SkipLast(1).ToArray()) DeleteBackupOperation.Delete(run, number);
        run.Try(() => run.Counts.PrunedParts += run.BackupFiles.Prune());
    }
}
