using System.Diagnostics;

namespace Ashlar.TestKit;

/// <summary>
/// Libraries from the registries of other languages. <c>eng/install-test-tools.sh</c> puts them into a folder of the user's caches.
/// </summary>
public static class LanguageSdks
{
    /// <summary>@aws-sdk/client-s3 with lib-storage and s3-request-presigner, for Node.js.</summary>
    public const string AwsJavaScript = "aws-sdk-js";

    /// <summary>boto3 from 1.36 on, which sends and wants checksums unless told otherwise.</summary>
    public const string NewBoto3 = "boto3-1.36";

    static readonly string Cache = Environment.GetEnvironmentVariable("ASHLAR_TEST_TOOLS") is { Length: > 0 } told
        ? told
        : Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } caches
                ? caches
                : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/root", ".cache"),
            "ashlar-test-tools");

    static readonly Lazy<string?> LazyPython = new(FindPython);

    /// <summary>What Node.js gets as <c>NODE_PATH</c>.</summary>
    public static string NodeModules { get; } = Path.Combine(Cache, "aws-sdk-js-3.1169.0", "node_modules");

    /// <summary>What Python gets as <c>PYTHONPATH</c>; may not be there.</summary>
    public static string PythonModules { get; } = Path.Combine(Cache, "boto3-1.43.11");

    /// <summary>A Python that has the new boto3, if it is given <see cref="PythonModules"/>.</summary>
    public static string? Python => LazyPython.Value;

    /// <summary>Whether a need is one of these.</summary>
    public static bool IsOne(string need) => need is AwsJavaScript or NewBoto3;

    internal static bool IsPresent(string need) => need == AwsJavaScript
        ? ExternalTool.Find("node") is not null && Directory.Exists(Path.Combine(NodeModules, "@aws-sdk", "client-s3"))
        : Python is not null;

    static string? FindPython()
    {
        const string Test = """
            import importlib.metadata, sys
            sys.exit(tuple(map(int, importlib.metadata.version('boto3').split('.')[:2])) < (1, 36))
            """;
        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            var python = Path.Combine(directory, "python3");
            if (!File.Exists(python)) continue;
            var start = new ProcessStartInfo(python, ["-c", Test]);
            start.Environment["PYTHONPATH"] = PythonModules;
            if (ExternalTool.Run(TimeSpan.FromSeconds(20), start).ExitCode == 0) return python;
        }

        return null;
    }
}
