using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>Backups and archive of a scenario's store, as somebody sees them who has lost the store.</summary>
/// <param name="options">The scenario.</param>
/// <param name="disk">Where they are.</param>
/// <param name="generation">The store that is lost.</param>
/// <param name="entropy">Another one each time: the history of a restored store is told from others by it.</param>
sealed class ScenarioBackups(ScenarioOptions options, IFileSystem disk, int generation, ulong entropy)
{
    readonly KeyValueOptions settings = options.Store(disk, entropy, generation);

    public IReadOnlyList<CorruptDataException> Verify(ulong number) =>
        options.IsSharded ? Sharded.Verify(number).Problems : Plain.Verify(number).Problems;

    public void Restore(ulong number, string target)
    {
        if (options.IsSharded) Sharded.Restore(number, target);
        else Plain.Restore(number, target);
    }

    public void Delete(ulong number)
    {
        if (options.IsSharded) Sharded.Delete(number);
        else Plain.Delete(number);
    }

    public IReadOnlyList<(ulong Number, CorruptDataException? Damage)> List() => options.IsSharded
        ? [.. Sharded.List().Select(backup => (backup.Number, backup.Damage))]
        : [.. Plain.List().Select(backup => (backup.Number, backup.Damage))];

    /// <summary>Backup and archive together; of several engines each has its own, and nothing restores them to one moment.</summary>
    public void RestoreLatest(string target) => Plain.Restore(RestorePoint.Latest, Archives.Single(), target);

    /// <summary>Deletes what no backup needs.</summary>
    public int Prune()
    {
        if (!options.IsSharded) return Archives.Single().Prune(Plain).Count;
        return disk.List(ScenarioOptions.ArchiveOf(generation)).Sum(shard => ArchiveOf(shard).Prune(BackupsOf(shard)).Count);
    }

    public IEnumerable<AshlarException> ArchiveProblems() => Archives.SelectMany(archive => archive.Verify().Problems);

    /// <summary>For messages.</summary>
    public string Describe() => options.IsSharded
        ? "shards"
        : $"""
           backups {string.Join(", ", Plain.List().Select(backup => $"{backup.Number} through {backup.Sequence}"))};
           archive after {Archives.Single().Inspect().AfterSequence} through {Archives.Single().Inspect().LastSequence}
           """;

    IEnumerable<LogArchive> Archives => options.IsSharded
        ? disk.List(ScenarioOptions.ArchiveOf(generation)).Select(ArchiveOf)
        : [new LogArchive(ScenarioOptions.ArchiveOf(generation), settings)];

    LogArchive ArchiveOf(string shard) => new($"{ScenarioOptions.ArchiveOf(generation)}/{shard}", settings);

    KeyValueBackups BackupsOf(string shard) => new($"{ScenarioOptions.Backups}/{shard}", settings);

    KeyValueBackups Plain => new(ScenarioOptions.Backups, settings);

    ShardedKeyValueBackups Sharded => new(ScenarioOptions.Backups, settings);
}
