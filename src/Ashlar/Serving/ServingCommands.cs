using System.CommandLine;
using Ashlar.Api;
using Ashlar.Server;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar up</c> and <c>ashlar serve</c>. Nothing else loads the server.</summary>
static class ServingCommands
{
    /// <summary>Tells people that everything runs.</summary>
    delegate void Announcement(Invocation invocation, Status status, bool isFirstStart);

    public static Verb CreateUp(Terminal terminal) => Create(
        terminal,
        "up",
        "Start the server in the foreground, and show where it listens and what to do next",
        [
            "ashlar up", "ashlar up --data ./data --pool-size 10GiB",
            "ashlar up --nbd-port 0 --iscsi-port 0 --nvme-port 0 --api-port 0 --s3-port 0",
        ],
        UpScreen.Write,
        endsWithTerminal: true);

    public static Verb CreateServe(Terminal terminal) => Create(
        terminal,
        "serve",
        "Start the server as a service manager does: nothing is written but the log, on stderr",
        ["ashlar serve --data /var/lib/ashlar"],
        (_, _, _) => { }, // The log says it.
        endsWithTerminal: false);

    static Verb Create(
        Terminal terminal,
        string name,
        string description,
        IReadOnlyList<string> examples,
        Announcement announce,
        bool endsWithTerminal)
    {
        var serving = new ServingOptions(terminal);
        var verb = new Verb(
            name,
            description,
            examples,
            (invocation, stop) => ServeAsync(invocation, serving, announce, endsWithTerminal, stop),
            ServerUse.Serves);
        foreach (var option in serving.All) verb.Options.Add(option);
        return verb;
    }

    static async Task<ExitCode> ServeAsync(
        Invocation invocation, ServingOptions serving, Announcement announce, bool endsWithTerminal, CancellationToken stop)
    {
        var terminal = invocation.Terminal;
        using var log = new ServerLog(
            terminal.Error, terminal.TimeProvider, LevelOf(invocation.Get(serving.LogLevel)), FormatOf(invocation.Get(serving.LogFormat)));
        // Whoever closes the window of a server in the foreground means to end it. To a service SIGHUP says to read its settings again, of
        // which there are none to be read.
        if (!endsWithTerminal || !terminal.IsThere) terminal.HangUp.Handler = () => AshlarServer.ReportHangUp(log);
        var manager = new ServiceNotifier(terminal.Environment("NOTIFY_SOCKET"));
        await using var server = await StartAsync(invocation, serving, log);
        var status = server.GetStatus();
        if (invocation.Format == OutputFormat.Table) announce(invocation, status, server.IsFirstStart);
        else invocation.Write(status, ApiJson.Strict.Status, [status.Endpoints.Api], (_, _) => { });
        terminal.Out.Flush();
        manager.Ready($"Serving {status.DataDirectory}");
        await Task.Delay(Timeout.InfiniteTimeSpan, terminal.TimeProvider, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        manager.Stopping();
        return ExitCode.Ok;
    }

    static LogLevel LevelOf(string? name) => name switch
    {
        "debug" => LogLevel.Debug,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    static LogFormat FormatOf(string? name) => name == "json" ? LogFormat.Json : LogFormat.Text;

    static async Task<AshlarServer> StartAsync(Invocation invocation, ServingOptions serving, ServerLog log)
    {
        var options = new ServerOptions
        {
            DataDirectory = DataDirectories.Resolve(invocation.Get(invocation.Global.Data), invocation.Terminal),
            Listen = invocation.Get(serving.Listen)!,
            Advertise = invocation.Get(serving.Advertise),
            AllowedHosts = invocation.Get(serving.AllowHost)!,
            NbdPort = invocation.Get(serving.NbdPort),
            NbdSocket = serving.ReadNbdSocket(invocation),
            IscsiPort = invocation.Get(serving.IscsiPort),
            NvmePort = invocation.Get(serving.NvmePort),
            ApiPort = invocation.Get(serving.ApiPort),
            S3Port = invocation.Get(serving.S3Port),
            NbdTls = serving.ReadTls(invocation),
            PoolSizeBytes = invocation.Get(serving.PoolSize),
            BufferBytes = invocation.Get(serving.BufferMemory),
            FileCacheDirectory = invocation.Get(serving.FileCache),
            FileCacheBytes = invocation.Get(serving.FileCacheSize),
            AllowUnauthenticated = invocation.Get(serving.AllowUnauthenticated),
            Version = VersionCommand.Current,
            FileSystem = FileSystems.Real,
            BootId = BootIdentity.Current,
            TimeProvider = invocation.Terminal.TimeProvider,
            Entropy = invocation.Terminal.Entropy,
        };
        try
        {
            return await AshlarServer.StartAsync(options, log);
        }
        catch (ServerStartException e)
        {
            throw Describe(e);
        }
        catch (LockedException e)
        {
            // "ashlar status" leads there only if the server could leave word.
            var see = ServerLocator.IsAnnounced(options.DataDirectory) ? invocation.CommandLines.OfServer("status") : DataOwner.Advice;
            throw new CommandException(
                ExitCode.Conflict,
                ProblemTypes.InUse,
                $"{options.DataDirectory} is served by {new DataOwner(e.OwnerProcessId)} already",
                $"{see}, or name another directory by --data");
        }
        catch (UnsupportedFormatException e)
        {
            throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, e.Message);
        }
    }

    static CommandException Describe(ServerStartException error) => error.Problem switch
    {
        StartProblem.Unauthenticated => new(
            ExitCode.PermissionDenied,
            ProblemTypes.PermissionDenied,
            error.Message,
            "listen on 127.0.0.1, or accept that by --allow-unauthenticated"),
        StartProblem.DataDirectory => new(ExitCode.Conflict, ProblemTypes.Exists, error.Message, "name another directory by --data"),
        StartProblem.ApiPort => PortTaken(error, "--api-port"),
        StartProblem.NbdPort => PortTaken(error, "--nbd-port"),
        StartProblem.NbdSocket => new(
            ExitCode.Conflict, ProblemTypes.InUse, error.Message, "choose another path by --nbd-socket, or leave it out"),
        StartProblem.IscsiPort => PortTaken(error, "--iscsi-port"),
        StartProblem.NvmePort => PortTaken(error, "--nvme-port"),
        StartProblem.S3Port => PortTaken(error, "--s3-port"),
        StartProblem.ListenAddress => new(
            ExitCode.Failed,
            ProblemTypes.Failed,
            error.Message,
            "name one of this machine's addresses by --listen; 'ip address' shows them; 0.0.0.0 and :: are all of them"),
        StartProblem.PoolSize => new(
            ExitCode.Conflict,
            ProblemTypes.Exists,
            error.Message,
            "leave --pool-size out, or name the size that it has; 'ashlar pool resize' grows a pool that is served"),
        StartProblem.PoolTooLarge => new(
            ExitCode.Failed, ProblemTypes.Failed, error.Message, "choose a smaller one by --pool-size; a pool can be grown later"),
        StartProblem.Descriptors => new(
            ExitCode.Failed,
            ProblemTypes.Failed,
            error.Message,
            "raise the limit before it starts: ulimit -n 4096, or LimitNOFILE=4096 in the unit of a service"),
        _ => new(ExitCode.Failed, ProblemTypes.Failed, error.Message),
    };

    static CommandException PortTaken(ServerStartException error, string option) =>
        new(ExitCode.Conflict, ProblemTypes.InUse, error.Message, $"choose another port by {option}; 0 takes a free one");
}
