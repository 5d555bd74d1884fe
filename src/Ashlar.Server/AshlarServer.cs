using System.Net;
using System.Net.Sockets;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Iscsi;
using Ashlar.Nbd;
using Ashlar.Nvme;
using Ashlar.S3;
using Ashlar.Storage;
using Ashlar.Transport;
using Ashlar.Volumes;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Everything that serves, in one process: pools, files, NBD, iSCSI, NVMe, REST API.</summary>
public sealed class AshlarServer : IAsyncDisposable
{
    const int DirectoryDepth = 2; // Parts up to the data directory, which the others need.

    readonly ServerOptions options;
    readonly ServerLog log;
    readonly IReadOnlyList<IPAddress> addresses;
    readonly DateTimeOffset startedAt;
    readonly Stack<IAsyncDisposable> parts = new();
    ServedPools? pools;
    FileStores? files;
    DataDirectory? directory;
    volatile bool isReady;
    bool isDisposed;

    AshlarServer(ServerOptions options, ServerLog log)
    {
        this.options = options;
        this.log = log;
        addresses = ListenAddresses.Of(options.Listen);
        startedAt = options.TimeProvider.GetUtcNow();
    }

    /// <summary>Where clients find it.</summary>
    public Endpoints Endpoints { get; private set; } = new("", "", "");

    /// <summary>Whether this start created the data directory.</summary>
    public bool IsFirstStart { get; private set; }

    /// <summary>
    /// Starts everything, or nothing: on failure what was started is closed again, and what was created is removed.
    /// </summary>
    /// <exception cref="ServerStartException">The operator can do something about it.</exception>
    /// <exception cref="LockedException">Another server runs on the data directory.</exception>
    /// <exception cref="UnsupportedFormatException">The data is of a version that this program does not know.</exception>
    /// <exception cref="CorruptDataException">Stored data is damaged.</exception>
    public static async Task<AshlarServer> StartAsync(ServerOptions options, ServerLog log)
    {
        RefuseOpenDoor(options);
        // Before anything is made, and while there are descriptors left to say so with: the runtime takes two for each assembly.
        var limits = ConnectionLimits.OfProcess();
        var tls = options.NbdTls?.Load(options.FileSystem); // Before anything is made, too.
        var server = new AshlarServer(options, log);
        try
        {
            await server.StartPartsAsync(limits, tls);
            return server;
        }
        catch
        {
            await server.GiveUpAsync();
            throw;
        }
    }

    /// <summary>The server at a glance.</summary>
    public Status GetStatus()
    {
        Pool[] each = [.. pools!.Entries.Select(Resources.Pool)];
        string[] warnings = [.. pools.Warnings, .. each.SelectMany(pool => pool.Warnings), .. files!.Warnings];
        return new()
        {
            Health = Resources.Health(warnings),
            Warnings = warnings,
            Version = options.Version,
            ProcessId = Environment.ProcessId,
            StartedAt = startedAt,
            DataDirectory = options.DataDirectory,
            Endpoints = Endpoints,
            Clients = pools.All.Select(pool => pool.AllClients())
                .Aggregate(new VolumeClients(0, 0), (sum, each) => sum + each),
            Pools = each,
            Files = files.GetStatus(),
        };
    }

    /// <summary>SIGHUP came: it is said in the log, and changes nothing.</summary>
    public static void ReportHangUp(ServerLog log) => log.Write(new(
        LogLevel.Information, LogEvents.HangUpIgnored, "server: SIGHUP changes nothing: there are no settings to read again"));

    /// <summary>
    /// Refuses new work, lets clients finish what is in flight for a few seconds, commits, closes. What was started last
    /// ends first: nobody is served by a part whose ground has gone.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        var hasServed = isReady;
        isReady = false;
        if (hasServed) Tell(LogLevel.Information, LogEvents.ServerStopping, "stopping");
        try
        {
            if (await CloseAsync(keep: 0) is { } failure) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
        finally
        {
            if (hasServed) Tell(LogLevel.Information, LogEvents.ServerStopped, "stopped");
        }
    }

    /// <summary>Closes what was started last, until so many parts are left.</summary>
    /// <returns>What failed first, which the log has with the rest; null when nothing did.</returns>
    async Task<Exception?> CloseAsync(int keep)
    {
        Exception? failure = null;
        while (parts.Count > keep)
        {
            var part = parts.Pop();
            try
            {
                await part.DisposeAsync();
            }
            catch (Exception e)
            {
                // The rest is closed all the same: the lock must not outlive a failed commit.
                Tell(LogLevel.Error, LogEvents.ServerCloseFailed, $"closing failed: {FailureLine.Of(e)}");
                failure ??= e;
            }
        }
        return failure;
    }

    // What the start failed for matters more than anything that fails here: the log has that.
    async Task GiveUpAsync()
    {
        await CloseAsync(keep: directory is null ? 0 : DirectoryDepth);
        if (IsFirstStart) TakeBackOrKeep(directory!);
        await CloseAsync(keep: 0);
    }

    // A pool or a file store in which somebody has created something is his by now. Nobody can create anything any more: all is closed.
    void TakeBackOrKeep(DataDirectory created)
    {
        try
        {
            if ((pools?.All.All(pool => pool.List().Count == 0) ?? true) && files?.WasUsed != true) created.TakeBack();
            else created.Keep();
        }
        catch (Exception e)
        {
            Notice($"what the start has created could not be removed: {e.Message}");
        }
    }

    static void RefuseOpenDoor(ServerOptions options)
    {
        if (options.AllowUnauthenticated || !ListenAddresses.AreOpen(options.Listen)) return;
        throw new ServerStartException(
            StartProblem.Unauthenticated,
            $"{options.Listen.First(address => !IPAddress.IsLoopback(address))} can be reached from other machines, and nothing asks "
            + "clients who they are: whoever reaches it may read, change and delete every volume");
    }

    async Task StartPartsAsync(ConnectionLimits limits, NbdTls? tls)
    {
        parts.Push(new Part(new ThreadFailures(log)));
        directory = DataDirectory.Open(options);
        parts.Push(new Part(directory));
        Invariant.Require(parts.Count == DirectoryDepth);
        var runFile = new RunFile(options.FileSystem, directory.Path, Notice, options.TimeProvider);
        parts.Push(new Part(runFile));
        if (directory.IsNew) await CreateMainPoolAsync(directory);
        var tasks = new ServerTasks(log.Write, options.TimeProvider);
        var exports = ServedExports.Open(directory, options, log.Write);
        var guard = new VolumeGuard(exports.Decide, new ReservationFiles(options.FileSystem, directory.ReservationsPath));
        pools = await ServedPools.OpenAsync(directory, options, tasks, log.Write, guard);
        exports.Changed = pools.CutOffUnwanted;
        parts.Push(pools);
        files = await FileStores.OpenAsync(directory.FilesPath, options, tasks, log.Write);
        parts.Push(files);
        parts.Push(tasks); // Which work on pools and files.

        if (limits.Notice is { } notice) Notice(notice);
        var reachable = new ServedAddresses(addresses, options.Advertise, MachineAddresses.All);
        var buffers = new BufferPool(options.BufferBytes);
        var paths = new PathStates(PortalNumbers.Of(options.FileSystem, directory.PortalsPath, addresses));
        var portals = new ServedPortals(addresses, paths, log.Write);
        var nbd = await ListenAsync(StartProblem.NbdPort, "nbd", options.NbdPort, where => Task.FromResult(
            NbdServer.Start(
                [.. Listeners("nbd", where, limits), .. LocalListeners("nbd", options.NbdSocket, limits)],
                new VolumeNbdExports(pools, exports), buffers, ClientFailure("nbd"), tls)));
        parts.Push(nbd);
        var iscsi = await ListenAsync(StartProblem.IscsiPort, "iscsi", options.IscsiPort, where => Task.FromResult(IscsiServer.Start(
            Listeners("iscsi", where, limits), new VolumeIscsiTargets(pools, exports), buffers, ClientFailure("iscsi"), options.Advertise,
            paths, options.Entropy)));
        parts.Push(iscsi);
        var nvme = await StartNvmeAsync(pools, exports, buffers, limits, paths);
        portals.EndPoints = (iscsi.EndPoints, nvme?.EndPoints);
        var hosts = new HostNames(addresses, options.Advertise is { } name ? [.. options.AllowedHosts, name] : options.AllowedHosts);
        var requests = new FileRequests();
        var metrics = new ServerMetrics(
            pools, () => (nbd.ConnectionCount, iscsi.ConnectionCount, nvme?.ConnectionCount ?? 0), files, requests, log,
            options, startedAt);
        var api = await ListenAsync(StartProblem.ApiPort, "api", options.ApiPort, where =>
            ApiServer.StartAsync(where, hosts, log, options.TimeProvider, files, requests, routes =>
            {
                routes.MapIndex(options.Version);
                routes.MapStatus(GetStatus, () => isReady);
                routes.MapMetrics(metrics);
                routes.MapPools(pools);
                routes.MapTasks(tasks, pools);
                routes.MapVolumes(pools, () => Endpoints, log);
                routes.MapTrash(pools, () => Endpoints);
                routes.MapExports(pools, exports);
                routes.MapSessions(pools, exports);
                routes.MapPortals(portals);
                routes.MapCatalogue(pools, options.TimeProvider);
                routes.MapSnapshots(pools, () => Endpoints);
                routes.MapCustomers(files, log);
                routes.MapFiles(files, tasks);
                routes.MapFileUploads(files);
                routes.MapFileCatalogues(files);
                routes.MapFileNodes(files, tasks);
            }));
        parts.Push(api);
        var s3 = await StartS3Async(requests);

        Endpoints = reachable.Endpoints(
            api.EndPoint.Port, nbd.EndPoint.Port, iscsi.EndPoint.Port, s3?.EndPoint.Port, nvme?.EndPoint.Port) with
        {
            NbdSocket = options.NbdSocket?.Path,
        };
        runFile.Announce(new(Environment.ProcessId, reachable.LocalApi(api.EndPoint.Port)));
        isReady = true;
        TellOfStart();
        directory.Keep(); // Last: until here a failure takes back what was created.
    }

    async Task<NvmeServer?> StartNvmeAsync(
        ServedPools served, ServedExports exports, BufferPool buffers, ConnectionLimits limits, PathStates paths)
    {
        if (options.NvmePort is not { } port) return null;
        var nvme = await ListenAsync(StartProblem.NvmePort, "nvme", port, where => Task.FromResult(
            NvmeServer.Start(
                Listeners("nvme", where, limits), new VolumeNvmeSubsystems(served, exports), buffers, ClientFailure("nvme"),
                options.Advertise, paths, options.Entropy)));
        parts.Push(nvme);
        return nvme;
    }

    async Task<S3Server?> StartS3Async(FileRequests requests)
    {
        if (options.S3Port is not { } port || files?.Store is not { } store) return null;
        var s3 = await ListenAsync(StartProblem.S3Port, "s3", port, async where =>
        {
            try
            {
                return await S3Server.StartAsync(new()
                {
                    Portals = where,
                    Files = store.Service,
                    Metadata = store.Metadata,
                    TimeProvider = options.TimeProvider,
                    Entropy = options.Entropy,
                    Domains = options.Advertise is { } name ? [name] : [],
                    Log = TellOfS3,
                    Hears = kind => log.Writes(LevelOf(kind).Level),
                    Answered = answer => requests.Add(
                        "s3", OperationOf(answer.Work), answer.Took, answer.HasFailed),
                });
            }
            catch (S3ListenException e)
            {
                throw new ListenException("s3", e.EndPoint, e.InnerException!);
            }
        });
        parts.Push(s3);
        return s3;
    }

    static (LogLevel Level, string Name) LevelOf(S3EventKind kind) => kind == S3EventKind.Failed
        ? (LogLevel.Error, LogEvents.RequestFailed)
        : (LogLevel.Debug, LogEvents.RequestAnswered);

    static string OperationOf(S3Work work) => work switch
    {
        S3Work.Read => FileMeter.Read,
        S3Work.Write => FileMeter.Write,
        S3Work.Delete => FileMeter.Delete,
        S3Work.List => FileMeter.List,
        _ => FileMeter.Other,
    };

    void TellOfS3(S3Event happened)
    {
        var (level, name) = LevelOf(happened.Kind);
        if (!log.Writes(level)) return;
        log.Write(new(level, name, $"s3: {happened.Message.ReplaceLineEndings(" ")} (request {happened.RequestId})")
        {
            Protocol = "s3",
            Address = happened.Address?.ToString(),
        });
    }

    void TellOfStart()
    {
        Tell(
            LogLevel.Information,
            LogEvents.ServerStarted,
            $"serving {options.DataDirectory}: api {Endpoints.Api}, nbd {Endpoints.Nbd}, iscsi {Endpoints.Iscsi}"
                + (Endpoints.NbdSocket is { } socket ? $", nbd on {socket}" : "")
                + (Endpoints.Nvme is { } nvme ? $", nvme {nvme}" : "")
                + (Endpoints.S3 is { } s3 ? $", s3 {s3}" : ""));
        if (Endpoints.IsOpen)
        {
            Tell(
                LogLevel.Warning,
                LogEvents.ServerOpen,
                $"other machines can connect to {string.Join(", ", addresses)}, and nothing asks clients who they are: "
                + "whoever connects may read, change and delete every volume");
        }
        log.Flush(); // What there was to say of the start is there before anybody is told that it has succeeded.
    }

    void Tell(LogLevel level, string name, string message) => log.Write(new(level, name, $"server: {message}"));

    void Notice(string message) => Tell(LogLevel.Warning, LogEvents.ServerNotice, message);

    Action<string> ClientFailure(string protocol) => line =>
        log.Write(new(LogLevel.Warning, LogEvents.ClientFailed, line) { Protocol = protocol });

    async Task CreateMainPoolAsync(DataDirectory data)
    {
        IsFirstStart = true;
        var capacity = PoolSizes.ForCreation(options.PoolSizeBytes, options.FileSystem.GetFreeSpaceBytes(data.Path));
        data.BeginFirstStart(new(options.Entropy.NextGuid(), startedAt));
        try
        {
            await PoolFiles.FormatAsync(data.PoolPath(DataDirectory.MainPool), DataDirectory.MainPool, capacity, options);
            new PoolRegistry(options.FileSystem, data.SystemPath).Install(PoolRegistry.Main(options.Entropy));
            data.CompleteFirstStart();
        }
        catch (StorageException e) when (e.Errno == Errno.FileTooLarge)
        {
            throw PoolSizes.TooLarge(capacity, e);
        }
    }

    async Task<T> ListenAsync<T>(StartProblem problem, string name, int port, Func<IReadOnlyList<IPEndPoint>, Task<T>> start)
    {
        try
        {
            return await new Portals(addresses, FreePort.On).ListenAsync(name, port, start);
        }
        catch (ListenException e)
        {
            throw new ServerStartException(
                e.IsLocal ? StartProblem.NbdSocket : e.IsForeign ? StartProblem.ListenAddress : problem, e.Message, e);
        }
    }

    IReadOnlyList<ListenerOptions> Listeners(string name, IReadOnlyList<IPEndPoint> where, ConnectionLimits limits) =>
        [.. where.Select(endPoint => Listener(name, endPoint, limits))];

    IReadOnlyList<ListenerOptions> LocalListeners(string name, LocalPortal? local, ConnectionLimits limits) => local is null
        ? []
        : [Listener(name, new UnixDomainSocketEndPoint(local.Path), limits) with { LocalAccess = local.Access }];

    ListenerOptions Listener(string name, EndPoint endPoint, ConnectionLimits limits) => new()
    {
        EndPoint = endPoint,
        Name = name,
        MaxConnections = limits.PerProtocol,
        MaxConnectionsPerAddress = limits.PerAddress,
        TimeProvider = options.TimeProvider,
    };

    sealed class Part(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
