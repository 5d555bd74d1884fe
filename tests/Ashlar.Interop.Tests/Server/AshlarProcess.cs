using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Tools;

namespace Ashlar.Interop.Tests.Server;

/// <summary>The built program, as a child process with a data directory and free ports of its own.</summary>
sealed partial class AshlarProcess : IDisposable
{
    const int TerminateSignal = 15;
    const int NoSuchProcess = 3; // ESRCH
    static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    static readonly HttpClient Http = new();

    readonly string dataDirectory;
    readonly string poolSize;
    readonly int nbdPort, iscsiPort, apiPort;
    readonly StringBuilder log = new();
    Process? process;

    public AshlarProcess(string dataDirectory, string poolSize)
    {
        this.dataDirectory = dataDirectory;
        this.poolSize = poolSize;
        (nbdPort, iscsiPort, apiPort) = FreePorts();
        AppDomain.CurrentDomain.ProcessExit += KillIfRunning;
    }

    public IPEndPoint NbdEndPoint => new(IPAddress.Loopback, nbdPort);

    public IPEndPoint IscsiEndPoint => new(IPAddress.Loopback, iscsiPort);

    public string IscsiPortal => $"127.0.0.1:{iscsiPort}";

    /// <summary>What it printed, over all starts.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    /// <summary>How many descriptors the process may have open; null for as many as this one.</summary>
    public int? DescriptorLimit { get; init; }

    public bool IsRunning => process is { HasExited: false };

    public string NbdUri(string volume) => $"nbd://127.0.0.1:{nbdPort}/{volume}";

    public static string TargetName(string volume) => $"iqn.2026-11.io.ashlar:main.{volume}";

    public string IscsiUrl(string volume) => $"iscsi://{IscsiPortal}/{TargetName(volume)}/0";

    public IBlockClient ConnectNbd(string volume) => new NbdClient(NbdUri(volume));

    public IBlockClient ConnectIscsi(string volume, int session) =>
        new IscsiClient(IscsiPortal, TargetName(volume), lun: 0, $"iqn.2026-11.io.ashlar:client{session}");

    /// <summary>Starts and waits until every protocol answers and the server says that it is ready.</summary>
    public void Start()
    {
        Launch();
        WaitUntilReady();
    }

    /// <summary>Starts the process and returns at once.</summary>
    public void Launch()
    {
        Assert.False(IsRunning);
        process?.Dispose();
        string[] limited = DescriptorLimit is { } limit ? ["-c", $"ulimit -n {limit}; exec \"$@\"", "bash", "dotnet"] : [];
        string[] command =
        [
            ProgramPath, "up", "--data", dataDirectory, "--pool-size", poolSize, "--nbd-port", $"{nbdPort}", "--iscsi-port", $"{iscsiPort}",
            "--api-port", $"{apiPort}",
        ];
        var start = new ProcessStartInfo(limited.Length > 0 ? "bash" : "dotnet", [.. limited, .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        ForgetSettings(start);
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public void WaitUntilReady()
    {
        var watch = Stopwatch.StartNew();
        WaitUntil(() => Answers(nbdPort), $"port {nbdPort} does not answer");
        WaitUntil(() => Answers(iscsiPort), $"port {iscsiPort} does not answer");
        WaitUntil(IsReady, $"port {apiPort} does not say that the server is ready"); // Only then do commands find it.

        void WaitUntil(Func<bool> isSo, string problem)
        {
            while (!isSo())
            {
                if (EndsWithin(TimeSpan.FromMilliseconds(10)))
                    throw new ServerException($"ended with code {process!.ExitCode} instead of starting", Log);
                if (watch.Elapsed > StartDeadline) throw new ServerException(problem, Log);
            }
        }
    }

    public bool EndsWithin(TimeSpan time) => process!.WaitForExit(time);

    /// <summary>SIGKILL. Returns when the process is gone.</summary>
    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGTERM. The process must end by itself and without an error.</summary>
    public void Stop()
    {
        if (Signal(process!.Id, TerminateSignal) != 0 && Marshal.GetLastPInvokeError() != NoSuchProcess)
            throw new ServerException($"kill failed with errno {Marshal.GetLastPInvokeError()}", Log);
        if (!EndsWithin(StopDeadline)) throw new ServerException("does not end when asked to", Log);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new ServerException($"ended with code {process.ExitCode} when asked to end", Log);
    }

    /// <summary>The command line, talking to this server.</summary>
    public string Command(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramPath, .. arguments, "--data", dataDirectory]);
        ForgetSettings(start);
        return Tool.Run(TimeSpan.FromMinutes(1), start).MustSucceed();
    }

    public void CreateVolume(string name, string size) => Command("volume", "create", name, "--size", size);

    /// <summary>Bytes of the pool that hold data, as the program reports them.</summary>
    public long PoolUsedBytes()
    {
        using var pools = JsonDocument.Parse(Command("pool", "list", "--output", "json"));
        return pools.RootElement.GetProperty("items").EnumerateArray().Single().GetProperty("allocatedBytes").GetInt64();
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillIfRunning;
        if (IsRunning) Kill();
        process?.Dispose();
    }

    static string ProgramPath => Environment.GetEnvironmentVariable("ASHLAR_PROGRAM") is { Length: > 0 } path
        ? path
        : Path.Combine(AppContext.BaseDirectory, "ashlar.dll");

    /// <summary>What the user of this machine has set must not reach the server under test.</summary>
    static void ForgetSettings(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASHLAR_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
    }

    static bool Answers(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    bool IsReady()
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{apiPort}/readyz");
            using var response = Http.Send(request);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Held together, so that they differ; released just before the server takes them.</summary>
    static (int Nbd, int Iscsi, int Api) FreePorts()
    {
        using TcpListener nbd = new(IPAddress.Loopback, 0), iscsi = new(IPAddress.Loopback, 0), api = new(IPAddress.Loopback, 0);
        return (Port(nbd), Port(iscsi), Port(api));

        static int Port(TcpListener listener)
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }

    void Append(string? line)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
    }

    void KillIfRunning(object? sender, EventArgs e)
    {
        if (IsRunning) Kill();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int processId, int signal);
}

sealed class ServerException(string what, string log) : Exception($"The server {what}.\n---- server\n{log}");
