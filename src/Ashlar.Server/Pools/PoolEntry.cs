using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>A pool that the server remembers, and what serves it while it can be served.</summary>
sealed class PoolEntry : IAsyncDisposable
{
    readonly PoolDevices? devices;
    readonly PoolJournal? journal;
    volatile RememberedPool record;

    PoolEntry(RememberedPool record, string directory, string? problem)
    {
        this.record = record;
        DirectoryPath = directory;
        Problem = problem;
    }

    PoolEntry(RememberedPool record, string directory, ServedPool served, PoolDevices devices, PoolJournal journal)
        : this(record, directory, problem: null)
    {
        Served = served;
        this.devices = devices;
        this.journal = journal;
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
    public static async Task<PoolEntry> OpenAsync(
        RememberedPool record, string directory, ServerOptions options, Action<LogEntry> report)
    {
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
            var served = new ServedPool(pool, report, options.TimeProvider, askedBytes, record.Settings);
            journal.Listener = served.Observe;
            return new(record, directory, served, devices, journal);
        }
        catch
        {
            journal.Dispose();
            devices.Dispose();
            throw;
        }
    }

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
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Served is not null) await Served.DisposeAsync();
        }
        finally
        {
            devices?.Dispose();
            journal?.Dispose();
        }
    }
}
