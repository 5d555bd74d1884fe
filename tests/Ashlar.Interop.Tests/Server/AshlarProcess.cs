using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Ashlar.Api;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// The built program, serving as a child process with a data directory of its own. It takes free ports and says which, so they differ
/// from start to start.
/// </summary>
sealed partial class AshlarProcess : IDisposable
{
    const int TerminateSignal = 15, ContinueSignal = 18, StopSignal = 19;
    const int KilledExitCode = 128 + 9;
    const int NoSuchProcess = 3; // ESRCH

    // A server that does not get there in so long hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    readonly string dataDirectory;
    readonly string poolSize;
    readonly StringBuilder log = new();
    Process? process;
    volatile Status? status;

    public AshlarProcess(string dataDirectory, string poolSize)
    {
        this.dataDirectory = dataDirectory;
        this.poolSize = poolSize;
        AppDomain.CurrentDomain.ProcessExit += KillIfRunning;
    }

    /// <summary>What it logged, over all starts.</summary>
    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    /// <summary>How many descriptors the process may have open; null for as many as this one.</summary>
    public int? DescriptorLimit { get; init; }

    /// <summary>Bytes that the managed heap may take; null for no limit.</summary>
    public long? HeapLimitBytes { get; init; }

    /// <summary>More of the command line.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    public bool IsRunning => process is { HasExited: false };

    /// <summary>Whether it has said, since it was launched, that every protocol is served.</summary>
    public bool IsServing => status is not null;

    public int ProcessId => process!.Id;

    public int ExitCode => process!.ExitCode;

    public Uri Api => new(Served.Endpoints.Api);

    public IPEndPoint NbdEndPoint => IPEndPoint.Parse(new Uri(Served.Endpoints.Nbd).Authority);

    public IPEndPoint IscsiEndPoint => IPEndPoint.Parse(IscsiPortal);

    public IPEndPoint NvmeEndPoint => IPEndPoint.Parse(Served.Endpoints.Nvme!);

    public string IscsiPortal => Served.Endpoints.Iscsi;

    public string NbdUri(string volume) => $"{Served.Endpoints.Nbd}/{volume}";

    public static string TargetName(string volume) => $"iqn.2026-11.io.ashlar:main.{volume}";

    public string IscsiUrl(string volume) => $"iscsi://{IscsiPortal}/{TargetName(volume)}/0";

    /// <summary>URL of the S3 server.</summary>
    public string S3Url => Served.Endpoints.S3!;

    /// <summary>The first key, and its secret.</summary>
    public (string Id, string Secret) FirstKey =>
        File.ReadAllText(Path.Combine(dataDirectory, "files", "key")).Trim().Split(':') is [var id, var secret]
            ? (id, secret)
            : throw new ServerException("has another key file", Log);

    /// <summary>The most memory that it has had since it was launched: <c>VmHWM</c> of the kernel.</summary>
    public long PeakMemoryBytes => long.Parse(
        File.ReadLines($"/proc/{ProcessId}/status").First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture) << 10;

    Status Served => status ?? throw new ServerException("does not serve", Log);

    public IBlockClient ConnectNbd(string volume) => new NbdClient(NbdUri(volume));

    public IscsiClient ConnectIscsi(string volume, int session) =>
        new(IscsiPortal, TargetName(volume), lun: 0, $"iqn.2026-11.io.ashlar:client{session}");

    /// <summary>Starts and waits until every protocol is served.</summary>
    public void Start()
    {
        Launch();
        WaitUntilItServes();
    }

    /// <summary>Waits until every protocol is served.</summary>
    public void WaitUntilItServes() => WaitUntil(() => IsServing, "does not say that it serves");

    /// <summary>Starts the process and returns at once.</summary>
    public void Launch()
    {
        Assert.False(IsRunning);
        process?.Dispose();
        status = null;
        string[] limited = DescriptorLimit is { } limit ? ["-c", $"ulimit -n {limit}; exec \"$@\"", "bash", "dotnet"] : [];
        string[] command =
        [
            ProgramPath, "serve", "--data", dataDirectory, "--pool-size", poolSize, "--nbd-port", "0", "--iscsi-port", "0",
            "--nvme-port", "0", "--api-port",
            "0", "--s3-port", "0",
            "--output", "json", .. Options,
        ];
        var start = new ProcessStartInfo(limited.Length > 0 ? "bash" : "dotnet", [.. limited, .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        ForgetSettings(start);
        if (HeapLimitBytes is { } bytes) start.Environment["DOTNET_GCHeapHardLimit"] = $"0x{bytes:x}";
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => HearOutput(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Waits until the data directory is this process's: from then on until it serves, it recovers.</summary>
    public void WaitUntilItHasTheData()
    {
        var path = Path.Combine(dataDirectory, "lock");
        var owner = $"{process!.Id}";
        WaitUntil(() => File.Exists(path) && ReadUnlocked(path).Trim() == owner, "does not take its data directory");
    }

    /// <summary>Whether it ends in time; then all that it logged is there.</summary>
    public bool EndsWithin(TimeSpan time)
    {
        if (!process!.WaitForExit(time)) return false;
        process.WaitForExit();
        return true;
    }

    /// <summary>SIGKILL. Returns when the process is gone: true if the signal was what ended it.</summary>
    public bool Kill()
    {
        process!.Kill();
        process.WaitForExit();
        return process.ExitCode == KilledExitCode;
    }

    /// <summary>Stops all its threads within whatever they do.</summary>
    public void Freeze()
    {
        _ = Signal(process!.Id, StopSignal);
        WaitUntil(IsStopped, "does not stand still");
    }

    /// <summary>Lets all its threads go on after <see cref="Freeze"/>.</summary>
    public void Thaw() => _ = Signal(process!.Id, ContinueSignal);

    /// <summary>SIGTERM. The process must end by itself and without an error.</summary>
    public void Stop()
    {
        if (Signal(process!.Id, TerminateSignal) != 0 && Marshal.GetLastPInvokeError() != NoSuchProcess)
            throw new ServerException($"kill failed with errno {Marshal.GetLastPInvokeError()}", Log);
        if (!EndsWithin(LongestWait)) throw new ServerException("does not end when asked to", Log);
        if (process.ExitCode != 0) throw new ServerException($"ended with code {process.ExitCode} when asked to end", Log);
    }

    /// <summary>The command line, talking to this server.</summary>
    public string Command(params string[] arguments) => TryCommand(arguments).MustSucceed();

    /// <summary>The same where it need not succeed.</summary>
    public ToolResult TryCommand(params string[] arguments) => TryCommand(LongestWait, arguments);

    /// <inheritdoc cref="TryCommand(string[])"/>
    public ToolResult TryCommand(TimeSpan deadline, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProgramPath, .. arguments, "--data", dataDirectory]);
        ForgetSettings(start);
        return ExternalTool.Run(deadline, start);
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

    // A FileStream would lock it, which keeps one of the two out.
    static string ReadUnlocked(string path)
    {
        using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
        Span<byte> text = stackalloc byte[32];
        return Encoding.ASCII.GetString(text[..file.Read(text, 0)]);
    }

    void WaitUntil(Func<bool> isSo, string problem)
    {
        var watch = Stopwatch.StartNew();
        while (!isSo())
        {
            if (EndsWithin(TimeSpan.FromMilliseconds(1)))
                throw new ServerException($"ended with code {process!.ExitCode} and {problem}", Log);
            if (watch.Elapsed > LongestWait) throw new ServerException($"{problem} within {LongestWait.TotalSeconds:0} s", Log);
        }
    }

    bool IsStopped()
    {
        var text = File.ReadAllText($"/proc/{process!.Id}/stat");
        return text[text.LastIndexOf(')') + 2] == 'T';
    }

    void HearOutput(string? line)
    {
        if (line is { Length: > 0 }) status = JsonSerializer.Deserialize(line, ApiJson.Strict.Status);
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
