using System.Diagnostics;
using System.Text;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Databases;

/// <summary>
/// A cluster of PostgreSQL in a directory, served on a socket in another; it listens to no network. It runs as postgres, since root may
/// not.
/// </summary>
sealed class PostgresCluster : IDisposable
{
    const string User = "postgres";

    // Short lives: checkpoints, recycled segments of the log and vacuums come within seconds.
    static readonly string[] Settings =
    [
        "listen_addresses=", "shared_buffers=16MB", "max_wal_size=64MB", "min_wal_size=32MB", "checkpoint_timeout=30s",
        "autovacuum_naptime=2s", "log_checkpoints=on",
    ];

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    readonly string dataDirectory;
    readonly string socketDirectory;
    readonly StringBuilder log = new();
    Process? server;

    /// <param name="parent">Directory of the file system that holds the cluster.</param>
    /// <param name="socketDirectory">Made here.</param>
    public PostgresCluster(string parent, string socketDirectory)
    {
        dataDirectory = Path.Combine(parent, "postgres");
        this.socketDirectory = socketDirectory;
        Directory.CreateDirectory(socketDirectory);
        ExternalTool.Run("chown", User, socketDirectory).MustSucceed();
        AppDomain.CurrentDomain.ProcessExit += EndAtExit;
    }

    /// <summary>What the server logged.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    /// <summary>Makes an empty one, whose pages have checksums.</summary>
    public void Create()
    {
        Directory.CreateDirectory(dataDirectory);
        ExternalTool.Run("chown", User, dataDirectory).MustSucceed();
        Run("initdb", "--pgdata", dataDirectory, "--data-checksums", "--auth", "trust", "--no-instructions").MustSucceed();
    }

    /// <summary>Of a copy of the disk: the process that the file names runs, and serves the original.</summary>
    public void ForgetOwner() => File.Delete(Path.Combine(dataDirectory, "postmaster.pid"));

    /// <summary>Starts the server and waits until it answers; it recovers first if it has to.</summary>
    public void Start()
    {
        var options = Settings.Append($"unix_socket_directories={socketDirectory}").SelectMany(static setting => new[] { "-c", setting });
        server = new Process { StartInfo = AsUser("postgres", ["-D", dataDirectory, .. options]) };
        server.StartInfo.RedirectStandardError = true;
        server.ErrorDataReceived += (_, line) => Hear(line.Data);
        server.Start();
        server.BeginErrorReadLine();
        var waited = Stopwatch.StartNew();
        while (Run("pg_isready", "--quiet", "--host", socketDirectory).ExitCode != 0)
        {
            if (server.WaitForExit(TimeSpan.FromMilliseconds(50))) Assert.Fail($"PostgreSQL ended with code {server.ExitCode}\n{Log}");
            Assert.True(waited.Elapsed < Deadline, $"PostgreSQL does not answer\n{Log}");
        }
    }

    /// <summary>Disconnects clients, and closes the cluster as is proper.</summary>
    public void Stop()
    {
        Run("pg_ctl", "stop", "--pgdata", dataDirectory, "--mode", "fast", "--wait", "--timeout", $"{Deadline.TotalSeconds}").MustSucceed();
        server!.WaitForExit();
        Assert.DoesNotContain(Log.Split('\n'), static line => line.Contains("PANIC", StringComparison.Ordinal)
            || (line.Contains("ERROR", StringComparison.Ordinal) && !line.Contains("canceling autovacuum", StringComparison.Ordinal)));
    }

    /// <summary>Rows of the answer; columns are parted by |.</summary>
    public string[] Query(string statement) =>
        RunClient("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statement)
            .MustSucceed().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>One of the programs of PostgreSQL that connect to a server, with this one as its server.</summary>
    public ToolResult RunClient(string program, params string[] arguments) => Run(program, ["--host", socketDirectory, .. arguments]);

    /// <summary>Reads all pages of a cluster that is stopped, and compares their checksums.</summary>
    public void CheckPages() => Run("pg_checksums", "--check", "--pgdata", dataDirectory).MustSucceed();

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= EndAtExit;
        if (server is { HasExited: false })
        {
            // It takes its children along.
            Run("pg_ctl", "stop", "--pgdata", dataDirectory, "--mode", "immediate");
            if (!server.WaitForExit(TimeSpan.FromSeconds(20))) server.Kill(entireProcessTree: true);
            server.WaitForExit();
        }

        server?.Dispose();
    }

    static ToolResult Run(string program, params string[] arguments) => ExternalTool.Run(Deadline, AsUser(program, arguments));

    static ProcessStartInfo AsUser(string program, string[] arguments) => new(
        ExternalTool.Find("setpriv")!,
        ["--reuid", User, "--regid", User, "--init-groups", ExternalTool.Find(program) ?? program, .. arguments])
    {
        WorkingDirectory = "/",
        UseShellExecute = false,
    };

    void Hear(string? line)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
    }

    void EndAtExit(object? sender, EventArgs e) => Dispose();
}
