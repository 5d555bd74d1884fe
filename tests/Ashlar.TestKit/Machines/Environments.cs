namespace Ashlar.TestKit;

/// <summary>Environments of programs in a copy of the machine.</summary>
public static class Environments
{
    /// <summary>What a shell of an administrator has, and nothing of the environment of the tests.</summary>
    public static IReadOnlyDictionary<string, string> Plain { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["HOME"] = "/root",
        ["LANG"] = "C.UTF-8",
    };
}
