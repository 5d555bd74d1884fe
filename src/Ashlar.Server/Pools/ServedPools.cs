using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The pools of a server, by name. Each is opened on its own: one that cannot be opened is there with the reason, and others serve.
/// </summary>
sealed partial class ServedPools : IAsyncDisposable
{
    readonly DataDirectory directory;
    readonly PoolRegistry registry;
    readonly NewDevices newDevices;
    readonly ServerOptions options;
    readonly ServerTasks tasks;
    readonly Action<LogEntry> report;
    readonly PoolEntry.Opening opening;
    readonly SemaphoreSlim turn = new(1, 1); // Of whoever changes which pools there are.
    volatile IReadOnlyList<PoolEntry> entries = [];
    volatile IReadOnlyList<string> damagedRecords = [];

    ServedPools(
        DataDirectory directory, PoolRegistry registry, ServerOptions options, ServerTasks tasks, Action<LogEntry> report,
        VolumeGuard? guard)
    {
        this.tasks = tasks;
        this.directory = directory;
        this.registry = registry;
        this.options = options;
        this.report = report;
        newDevices = new NewDevices(options.FileSystem, directory.Path, options.Host);
        opening = new(options, report, NoteDevicesAsync) { Guard = guard };
    }

    /// <summary>All that are remembered, the oldest first.</summary>
    public IReadOnlyList<PoolEntry> Entries => entries;

    /// <summary>Those that are served.</summary>
    public IEnumerable<ServedPool> All => entries.Select(entry => entry.Served).OfType<ServedPool>();

    /// <summary>What is wrong beside the pools that are known: records that cannot be read.</summary>
    public IReadOnlyList<string> Warnings => damagedRecords;

    /// <summary>A pool that is served; null when there is none of that name.</summary>
    public ServedPool? Find(string name) => FindEntry(name)?.Served;

    public PoolEntry? FindEntry(string name) => entries.FirstOrDefault(entry => entry.Name == name);

    /// <summary>A pool that is served.</summary>
    /// <exception cref="ApiException">There is none of that name, or it is not open.</exception>
    public ServedPool Get(string name) => GetEntry(name) is { Served: { } served } ? served : throw NotAvailable(GetEntry(name));

    /// <exception cref="ApiException">There is none of that name.</exception>
    public PoolEntry GetEntry(string name) =>
        FindEntry(name) ?? throw new ApiException(ProblemKind.PoolNotFound, $"there is no pool {name}");

    /// <summary>
    /// Opens all pools that are remembered. What was being made when the server ended is taken back, what was being deleted is deleted to
    /// the end.
    /// </summary>
    /// <exception cref="AshlarException">The only pool is the first one, and cannot be opened: there is nothing to serve.</exception>
    public static async Task<ServedPools> OpenAsync(
        DataDirectory directory, ServerOptions options, ServerTasks tasks, Action<LogEntry> report, VolumeGuard? guard = null)
    {
        var registry = new PoolRegistry(options.FileSystem, directory.SystemPath);
        var pools = new ServedPools(directory, registry, options, tasks, report, guard);
        try
        {
            await pools.OpenAllAsync();
            return pools;
        }
        catch
        {
            await pools.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes every pool, also when one fails; the first failure is raised.</summary>
    public async ValueTask DisposeAsync()
    {
        await turn.WaitAsync(); // Whoever changes something has come to an end, and nobody begins.
        Exception? failure = null;
        foreach (var entry in entries)
        {
            try
            {
                await entry.DisposeAsync();
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }
        if (failure is not null) throw new AggregateException(failure);
    }

    async Task OpenAllAsync()
    {
        var records = ReadRecords();
        var isOnlyMain = records is [{ Number: 1, Stage: PoolStage.Ready }];
        foreach (var record in records)
        {
            switch (record.Stage)
            {
                case PoolStage.Creating or PoolStage.Deleting:
                    await FinishRemovingAsync(record);
                    break;
                case PoolStage.Exported:
                    Add(PoolEntry.Closed(record, PathOf(record), problem: null));
                    break;
                default:
                    var opened = await OpenOrExplainAsync(record, mustOpen: isOnlyMain);
                    Add(opened);
                    await GoOnRemovingAsync(opened);
                    break;
            }
        }
    }

    List<RememberedPool> ReadRecords()
    {
        options.FileSystem.CreateDirectories(directory.SystemPath);
        if (registry.IsUntouched) return [Adopt(PoolRegistry.Main(options.Entropy))];
        var (records, damaged) = (new List<RememberedPool>(), new List<string>());
        foreach (var number in registry.Numbers())
        {
            try
            {
                records.Add(registry.ReadRecord(number));
            }
            catch (AshlarException e)
            {
                damaged.Add($"a pool cannot be opened, because what is remembered of it cannot be read: {e.Message}; restore that file "
                    + "from a copy");
                Tell(LogLevel.Error, LogEvents.PoolUnavailable, null, damaged[^1]);
            }
        }
        damagedRecords = damaged;
        return records;
    }

    // Data of an earlier program. Until a disk has room for the record it is found anew at each start.
    RememberedPool Adopt(RememberedPool main)
    {
        try
        {
            registry.Install(main);
        }
        catch (StorageException e)
        {
            Tell(LogLevel.Warning, LogEvents.ServerNotice, main.Name, $"server: it could not be noted which pools there are: {e.Message}");
        }
        return main;
    }

    async Task<PoolEntry> OpenOrExplainAsync(RememberedPool record, bool mustOpen)
    {
        try
        {
            var entry = await PoolEntry.OpenAsync(record, PathOf(record), opening);
            if (record.PoolId is null) NoteIdentity(entry);
            return entry;
        }
        catch (Exception e) when (!mustOpen && e is not ServerStartException && e is AshlarException or ArgumentException)
        {
            Tell(LogLevel.Error, LogEvents.PoolUnavailable, record.Name, $"pool {record.Name} is not available: {e.Message}");
            return PoolEntry.Closed(record, PathOf(record), e.Message);
        }
    }

    // By which it is found again when its devices are elsewhere. Without room for it that has time until the next start.
    void NoteIdentity(PoolEntry entry)
    {
        entry.Record = entry.Record with { PoolId = entry.Served!.Id };
        try
        {
            registry.Install(entry.Record);
        }
        catch (StorageException)
        {
            // Whoever adopts a pool has told of it.
        }
    }

    // Crash order of removing: the record says that the pool is being made or deleted, then devices and directory are given up, then the
    // record goes. A crash in between finds the record, and goes on.
    async Task FinishRemovingAsync(RememberedPool record)
    {
        try
        {
            foreach (var problem in await newDevices.ReleaseAsync(record))
                Tell(LogLevel.Warning, LogEvents.ServerNotice, record.Name, $"server: {problem}");
            if (!record.IsPlaced) directory.RemovePool(record.Directory);
            registry.Remove(record.Number);
        }
        catch (StorageException e)
        {
            Tell(
                LogLevel.Warning,
                LogEvents.ServerNotice,
                record.Name,
                $"server: what is left of pool {record.Name} could not be removed, and is at the next start: {e.Message}");
        }
    }

    // These three in turn, or before anybody else knows of the pools.
    void Add(PoolEntry entry)
    {
        Invariant.Require(entries.All(each => each.Record.Number != entry.Record.Number));
        entries = [.. entries, entry];
    }

    void Remove(PoolEntry entry)
    {
        Invariant.Require(entries.Contains(entry));
        entries = [.. entries.Where(each => each != entry)];
    }

    void Replace(PoolEntry old, PoolEntry with)
    {
        Invariant.Require(entries.Contains(old) && old.Record.Number == with.Record.Number);
        entries = [.. entries.Select(each => each == old ? with : each)];
    }

    string PathOf(RememberedPool record) => directory.PoolPath(record.Directory);

    void Tell(LogLevel level, string name, string? pool, string message, string? by = null, long? sizeBytes = null) =>
        report(new(level, name, message) { Pool = pool, Address = by, SizeBytes = sizeBytes });

    static ApiException NotAvailable(PoolEntry entry) => new(
        ProblemKind.PoolUnavailable,
        entry.Problem is { } problem ? $"pool {entry.Name} is not available: {problem}" : $"pool {entry.Name} was exported");
}
