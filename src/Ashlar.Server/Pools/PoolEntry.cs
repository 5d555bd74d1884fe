using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>A pool that the server remembers, and what serves it while it can be served.</summary>
sealed class PoolEntry : IAsyncDisposable
{
    readonly PoolDevices? devices;
    readonly PoolJournal? journal;
    readonly RaidJournal? raidJournal;
    readonly DeviceWatch? watch;
    volatile RememberedPool record;

    PoolEntry(RememberedPool record, string directory, string? problem)
    {
        this.record = record;
        DirectoryPath = directory;
        Problem = problem;
    }

    PoolEntry(
        RememberedPool record,
        string directory,
        ServedPool served,
        PoolDevices devices,
        PoolJournal journal,
        RaidJournal? raidJournal,
        Opening opening)
        : this(record, directory, problem: null)
    {
        Served = served;
        this.devices = devices;
        this.journal = journal;
        this.raidJournal = raidJournal;
        watch = new DeviceWatch(
            devices,
            problem => opening.Report(new(LogLevel.Warning, LogEvents.PoolDeviceGone, $"pool {Name}: {problem}") { Pool = Name }),
            () => opening.Looked(this),
            opening.Options.TimeProvider);
    }

    /// <summary>What is remembered of it.</summary>
    public RememberedPool Record
    {
        get => record;
        set
        {
            Invariant.Require(value.Number == record.Number);
            record = value;
        }
    }

    public string Name => record.Name;

    /// <summary>Where it is in the data directory.</summary>
    public string DirectoryPath { get; }

    /// <summary>Serves it; null where it is not open.</summary>
    public ServedPool? Served { get; }

    /// <summary>Why it is not open; null where it is, or was exported.</summary>
    public string? Problem { get; }

    /// <summary>What it lies on.</summary>
    public PoolDevices Devices => devices ?? throw new InvalidOperationException($"Pool {Name} is not open.");

    /// <summary>A pool that is not open.</summary>
    /// <param name="record">What is remembered of it.</param>
    /// <param name="directory">Where it is in the data directory.</param>
    /// <param name="problem">Why not; null where it was exported.</param>
    public static PoolEntry Closed(RememberedPool record, string directory, string? problem) => new(record, directory, problem);

    /// <summary>Opens a pool, and recovers it if it was not closed.</summary>
    /// <exception cref="AshlarException">It cannot be opened.</exception>
    public static async Task<PoolEntry> OpenAsync(RememberedPool record, string directory, Opening opening)
    {
        if (record.IsPlaced) return await OpenPlacedAsync(record, directory, opening);
        var (options, report) = (opening.Options, opening.Report);
        // The size that the server is started with is that of the first pool.
        var askedBytes = record.Number == 1 ? options.PoolSizeBytes : null;
        var journal = new PoolJournal(record.Name, report, options.TimeProvider);
        var devices = new PoolDevices();
        try
        {
            var pool = await PoolFiles.OpenAsync(
                directory,
                record.Name,
                metadata => devices.OpenAsync(options.FileSystem, record, directory, metadata),
                askedBytes,
                options,
                journal.Observe);
            await TakeBackImportsAsync(pool, report);
            var served = new ServedPool(pool, report, options.TimeProvider, askedBytes, record.Settings, opening.Guard);
            journal.Listener = served.Observe;
            return new(record, directory, served, devices, journal, raidJournal: null, opening);
        }
        catch
        {
            journal.Dispose();
            devices.Dispose();
            throw;
        }
    }

    // The device says what the pool is called, for whoever takes it elsewhere; here the record does.
    static async Task<PoolEntry> OpenPlacedAsync(RememberedPool record, string directory, Opening opening)
    {
        var (options, report) = (opening.Options, opening.Report);
        var devices = new PoolDevices();
        var raidJournal = new RaidJournal(record.Name, report, options.TimeProvider);
        PoolJournal? journal = null;
        try
        {
            var device = await devices.OpenPlacedAsync(
                record, options, raidJournal.Observe, opening.IsForced, opening.AcceptsLoss);
            StoragePool pool;
            try
            {
                var identity = await StoragePool.IdentifyAsync(device)
                    ?? throw new UnsupportedFormatException(device.Name, "it holds no pool");
                if (record.PoolId is { } id && identity.Id != id)
                    throw new UnsupportedFormatException(device.Name, $"it holds another pool, {identity.Name} ({identity.Id})");
                if (opening.Admit is { } admit) record = admit(record, identity);
                record = record with { PoolId = identity.Id };
                raidJournal.Pool = record.Name;
                journal = new PoolJournal(record.Name, report, options.TimeProvider);
                var poolOptions = PoolFiles.PoolOptions(options, directory) with { Name = record.Name, Observer = journal.Observe };
                pool = await StoragePool.ImportAsync(device, poolOptions, record.Name, opening.IsForced);
            }
            catch
            {
                await device.DisposeAsync();
                throw;
            }
            devices.Allocation.Attach(pool);
            await TakeBackImportsAsync(pool, report);
            var served = new ServedPool(pool, report, options.TimeProvider, askedBytes: null, record.Settings, opening.Guard);
            journal.Listener = served.Observe;
            return new(devices.WithReplaced(record), directory, served, devices, journal, raidJournal, opening);
        }
        catch
        {
            await raidJournal.DisposeAsync();
            journal?.Dispose();
            devices.Dispose();
            throw;
        }
    }

    /// <summary>Closes the pool for good, so that its devices can be taken elsewhere.</summary>
    /// <exception cref="AshlarException">It could not be closed in order; it is closed as a crash would leave it.</exception>
    public ValueTask ExportAsync() => CloseAsync(isForGood: true);

    // Before anybody is served, who would see halves of volumes.
    static async Task TakeBackImportsAsync(StoragePool pool, Action<LogEntry> report)
    {
        try
        {
            foreach (var taken in await pool.RecoverImportsAsync())
                report(new(LogLevel.Warning, LogEvents.VolumeChanged, $"pool {pool.Name}: {taken}") { Pool = pool.Name });
        }
        catch
        {
            await pool.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes the pool, and then lets others have its devices.</summary>
    public ValueTask DisposeAsync() => CloseAsync(isForGood: false);

    async ValueTask CloseAsync(bool isForGood)
    {
        if (watch is not null) await watch.DisposeAsync();
        try
        {
            if (Served is null) return;
            if (isForGood && Record.IsPlaced) await Served.ExportAsync();
            else await Served.DisposeAsync();
        }
        finally
        {
            devices?.Dispose();
            journal?.Dispose();
            if (raidJournal is not null) await raidJournal.DisposeAsync();
        }
    }

    /// <summary>What opening a pool takes.</summary>
    /// <param name="Options">How the server runs.</param>
    /// <param name="Report">Gets lines for the log.</param>
    /// <param name="Looked">Called when its devices were looked at.</param>
    public sealed record Opening(ServerOptions Options, Action<LogEntry> Report, Func<PoolEntry, Task> Looked)
    {
        /// <summary>What stands at the doors of its volumes; null for nothing.</summary>
        public VolumeGuard? Guard { get; init; }

        /// <summary>Whether it is taken also if another machine has it.</summary>
        public bool IsForced { get; init; }

        /// <summary>Whether a RAID set is started also where some of what was written last is lost by it.</summary>
        public bool AcceptsLoss { get; init; }

        /// <summary>
        /// Of a pool that comes from elsewhere: says what is remembered of it, or refuses it, before anything is changed.
        /// </summary>
        public Func<RememberedPool, PoolIdentity, RememberedPool>? Admit { get; init; }
    }
}
