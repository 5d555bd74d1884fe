using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Operations one after the other, chosen by a seed from those that its features have: what the store, its backups and its archive must
/// hold at each moment is known. Run on a recording disk, it is a trace to lose power in; on a disk that fails, it must cope.
/// </summary>
sealed class StoreScenario(ScenarioOptions options)
{
    static readonly IScenarioOperation[] AllOperations =
    [
        new WriteOperation(),
        new RangeDeleteOperation(),
        new ConditionalWriteOperation(),
        new KeyspaceWriteOperation(),
        new DropKeyspaceOperation(),
        new DeleteToEndOperation(),
        new TransactionOperation(),
        new SaltedWriteOperation(),
        new QueueOperation(),
        new ReadOperation(),
        new HoldOperation(),
        new ReopenOperation(),
        new SyncOperation(),
        new FlushOperation(),
        new CompactOperation(),
        new FillOperation(),
        new BackUpOperation(),
        new DeleteBackupOperation(),
        new RestoreOperation(),
        new RepairOperation(),
        new ArchiveOperation(),
        new PruneOperation(),
    ];

    public ScenarioOptions Options => options;

    public StoreModel Model { get; } = new();

    /// <summary>What each backup holds that was ever reported.</summary>
    public Dictionary<ulong, SortedDictionary<string, string>> BackupEntries { get; } = [];

    public ScenarioCounts Counts { get; } = new();

    /// <summary>Runs on a disk that nothing is planted in.</summary>
    public void Run(SimulatedFileSystem disk) => Run(disk, disk, hasFaults: false);

    /// <summary>Runs on a disk that the store sees through another.</summary>
    /// <returns>What was said: the marks.</returns>
    public IReadOnlyList<object> Run(SimulatedFileSystem disk, IFileSystem seen, bool hasFaults)
    {
        ScenarioRun? run = null;
        try
        {
            // Where the disk is full anything may be refused, and nothing else.
            run = new ScenarioRun(options, disk, seen, MayFail)
            {
                Model = Model,
                Counts = Counts,
                BackupEntries = BackupEntries,
                HasFaults = hasFaults,
            };
            for (var i = 0; i < options.OperationCount; i++) Choose(run).Run(run);
            ReadOperation.ReadAll(run);
            run.EmptyDisk();
            run.Close();
        }
        catch (AshlarException planted) when (run is null && MayFail(planted))
        {
            // It was not even created.
        }
        catch (ProcessEndsException)
        {
        }
        finally
        {
            run?.Dispose();
        }

        return run?.Marks ?? [];

        // What breaks an invariant is a bug, whatever was planted.
        bool MayFail(AshlarException failure) => !IsBug(failure)
            && (hasFaults || (run is { IsDiskFull: true } && failure is StorageException { Kind: StorageErrorKind.NoSpace }));

        static bool IsBug(Exception? failure) =>
            failure is InvariantException || (failure is not null && IsBug(failure.InnerException));
    }

    IScenarioOperation Choose(ScenarioRun run)
    {
        var place = run.Random.Next(AllOperations.Sum(operation => operation.WeightIn(options)));
        foreach (var operation in AllOperations)
        {
            place -= operation.WeightIn(options);
            if (place < 0) return operation;
        }

        throw new InvalidOperationException("There is no operation.");
    }
}
