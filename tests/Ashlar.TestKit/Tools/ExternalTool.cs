using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Ashlar.TestKit;

/// <summary>Runs programs of the machine, each under a deadline.</summary>
public static class ExternalTool
{
    // Debian has PostgreSQL's server in a directory of its version, which is on no path.
    const string PostgresVersions = "/usr/lib/postgresql";

    static readonly string[] SearchPath =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin", .. PostgresDirectories(),
    ];

    /// <summary>After this a program hangs.</summary>
    public static TimeSpan DefaultDeadline { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Absolute path of a program, or null when it is not installed.</summary>
    public static string? Find(string tool) =>
        SearchPath.Select(directory => Path.Combine(directory, tool)).FirstOrDefault(File.Exists);

    /// <summary>Null if all of these programs and libraries are there, else which are missing.</summary>
    public static string? WhyNot(params IReadOnlyList<string> needs) =>
        string.Join(", ", needs.Where(need => !IsPresent(need))) is { Length: > 0 } missing
            ? $"{missing} missing (eng/install-test-tools.sh names the packages)"
            : null;

    /// <summary>Runs a program to its end. One that takes too long is killed, which is an exception.</summary>
    public static ToolResult Run(string tool, params string[] arguments) => Run(DefaultDeadline, tool, arguments);

    /// <inheritdoc cref="Run(string, string[])"/>
    public static ToolResult Run(TimeSpan deadline, string tool, params string[] arguments) =>
        Run(deadline, new ProcessStartInfo(Find(tool) ?? tool, arguments));

    /// <inheritdoc cref="Run(string, string[])"/>
    public static ToolResult Run(TimeSpan deadline, ProcessStartInfo start)
    {
        var commandLine = string.Join(' ', [Path.GetFileName(start.FileName), .. start.ArgumentList]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(deadline))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw new ToolException($"did not end within {deadline.TotalSeconds:0} s", new(commandLine, -1, output.Result, errors.Result));
        }
        return new(commandLine, process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>The same on a thread of its own.</summary>
    public static Task<ToolResult> RunAsync(string tool, params string[] arguments) => Task.Factory.StartNew(
        () => Run(tool, arguments), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static IEnumerable<string> PostgresDirectories() => Directory.Exists(PostgresVersions)
        ? Directory.GetDirectories(PostgresVersions).Select(static path => Path.Combine(path, "bin")).OrderDescending()
        : [];

    static bool IsPresent(string need) => need switch
    {
        "qemu-block-iscsi" => Directory.Exists("/usr/lib") && Directory
            .EnumerateFiles("/usr/lib", "block-iscsi.so", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .Any(),
        "python3-libnbd" => File.Exists("/usr/lib/python3/dist-packages/nbd.py"),
        "boto3" => Directory.Exists("/usr/lib/python3/dist-packages/boto3"),
        _ when LanguageSdks.IsOne(need) => LanguageSdks.IsPresent(need),
        _ when need.Contains(".so", StringComparison.Ordinal) => IsLoadable(need),
        _ => Find(need) is not null,
    };

    static bool IsLoadable(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle)) return false;
        NativeLibrary.Free(handle);
        return true;
    }
}
