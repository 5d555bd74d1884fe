using System.Net;
using System.Net.Sockets;
using Ashlar.Api;
using Ashlar.Iscsi;
using Ashlar.Nbd;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Server;

/// <summary>Everything that serves, in one process: pools, NBD, iSCSI, REST API.</summary>
public sealed class AshlarServer : IAsyncDisposable
{
    readonly ServerOptions options;
    readonly ServerLog log;
    readonly DateTimeOffset startedAt;
    readonly Stack<IAsyncDisposable> parts = new();
    ServedPools pools = new([]);
    volatile bool isReady;
    bool isDisposed;

    AshlarServer(ServerOptions options, ServerLog log)
    {
        this.options = options;
        this.log = log;
        startedAt = options.TimeProvider.GetUtcNow();
    }

    /// <summary>Where it listens.</summary>
    public Endpoints Endpoints { get; private set; } = new("", "", "");

    /// <summary>Whether this start created the data directory.</summary>
    public bool IsFirstStart { get; private set; }

    /// <summary>Starts everything, or nothing: on failure what was started is closed again.</summary>
    /// <exception cref="ServerStartException">The operator can do something about it.</exception>
    /// <exception cref="LockedException">Another server runs on the data directory.</exception>
    /// <exception cref="UnsupportedFormatException">The data is of a version that this program does not know.</exception>
    /// <exception cref="CorruptDataException">Stored data is damaged.</exception>
    public static async Task<AshlarServer> StartAsync(ServerOptions options, ServerLog log)
    {
        RefuseOpenDoor(options);
        // Before anything is made, and while there are descriptors left to say so with: the runtime takes two for each assembly.
        var limits = ConnectionLimits.OfProcess();
        var server = new AshlarServer(options, log);
        try
        {
            await server.StartPartsAsync(limits);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The server at a glance.</summary>
    public Status GetStatus()
    {
        Pool[] each = [.. pools.All.Select(Resources.Pool)];
        string[] warnings = [.. each.SelectMany(pool => pool.Warnings)];
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
                .Aggregate(new VolumeClients(0, 0), (sum, each) => new(sum.Nbd + each.Nbd, sum.Iscsi + each.Iscsi)),
            Pools = each,
        };
    }

    /// <summary>
    /// Refuses new work, lets clients finish what is in flight for a few seconds, commits, closes. What was started last
    /// ends first: nobody is served by a part whose ground has gone.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        isReady = false;
        Exception? failure = null;
        while (parts.TryPop(out var part))
        {
            try
            {
                await part.DisposeAsync();
            }
            catch (Exception e)
            {
                // The rest is closed all the same: the lock must not outlive a failed commit.
                log.Write($"server: closing failed: {e.Message}");
                failure ??= e;
            }
        }
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    static void RefuseOpenDoor(ServerOptions options)
    {
        if (IPAddress.IsLoopback(options.Listen) || options.AllowUnauthenticated) return;
        throw new ServerStartException(
            StartProblem.Unauthenticated,
            $"{options.Listen} can be reached from other machines, and nothing asks clients who they are: "
            + "whoever reaches it may read, change and delete every volume");
    }

    async Task StartPartsAsync(ConnectionLimits limits)
    {
        parts.Push(new Part(new ThreadFailures(log)));
        var directory = DataDirectory.Open(options);
        parts.Push(new Part(directory));
        var runFile = new RunFile(options.FileSystem, directory.Path, log.Write, options.TimeProvider);
        parts.Push(new Part(runFile));
        var journal = new PoolJournal(log.Write, options.TimeProvider);
        parts.Push(new Part(journal));
        var main = await OpenMainPoolAsync(directory, journal);
        var served = new ServedPool(main, log.Write, options.TimeProvider);
        journal.Listener = served.Observe;
        pools = new ServedPools([served]);
        parts.Push(pools);

        if (limits.Notice is { } notice) log.Write($"server: {notice}");
        var buffers = new BufferPool(options.BufferBytes);
        var nbd = Listen(StartProblem.NbdPort, "nbd", options.NbdPort, limits, where =>
            NbdServer.Start([where], new VolumeNbdExports(pools), buffers, log.Write));
        parts.Push(nbd);
        var iscsi = Listen(StartProblem.IscsiPort, "iscsi", options.IscsiPort, limits, where =>
            IscsiServer.Start([where], new VolumeIscsiTargets(pools), buffers, log.Write));
        parts.Push(iscsi);
        var api = await ApiServer.StartAsync(new(options.Listen, options.ApiPort), log.Write, options.TimeProvider, routes =>
        {
            routes.MapStatus(GetStatus, () => isReady);
            routes.MapPools(pools);
            routes.MapVolumes(pools, () => Endpoints);
        });
        parts.Push(api);

        Endpoints = new($"http://{Reachable(api.EndPoint)}", $"nbd://{Reachable(nbd.EndPoint)}", Reachable(iscsi.EndPoint));
        runFile.Announce(new(Environment.ProcessId, Endpoints.Api));
        isReady = true;
    }

    async Task<Volumes.StoragePool> OpenMainPoolAsync(DataDirectory directory, PoolJournal journal)
    {
        var path = directory.PoolPath(DataDirectory.MainPool);
        if (!directory.IsNew)
        {
            var pool = await PoolFiles.OpenAsync(path, options, journal.Observe);
            var size = PoolFiles.SizeBytes(path, options);
            if (options.PoolSizeBytes is { } asked && size != PoolFiles.WholeBlocks(asked))
                log.Write($"server: pool main was created with {size} bytes; that another size is asked for now changes nothing");
            return pool;
        }

        IsFirstStart = true;
        directory.BeginFirstStart(new(options.Entropy.NextGuid(), startedAt));
        var capacity = options.PoolSizeBytes ?? PoolFiles.DefaultCapacity(options.FileSystem.GetFreeSpaceBytes(directory.Path));
        var created = await PoolFiles.CreateAsync(path, DataDirectory.MainPool, capacity, options, journal.Observe);
        directory.CompleteFirstStart();
        return created;
    }

    T Listen<T>(StartProblem problem, string name, int port, ConnectionLimits limits, Func<ListenerOptions, T> start)
    {
        try
        {
            return start(new()
            {
                EndPoint = new(options.Listen, port),
                Name = name,
                MaxConnections = limits.PerProtocol,
                TimeProvider = options.TimeProvider,
            });
        }
        catch (ListenException e)
        {
            var isForeign = e.InnerException is SocketException { SocketErrorCode: SocketError.AddressNotAvailable };
            throw new ServerStartException(isForeign ? StartProblem.ListenAddress : problem, e.Message, e);
        }
    }

    /// <summary>An address that a client on this machine can use: where we listen everywhere, that is the loopback.</summary>
    static string Reachable(IPEndPoint endPoint)
    {
        var address = endPoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : endPoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : endPoint.Address;
        return new IPEndPoint(address, endPoint.Port).ToString();
    }

    sealed class Part(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
