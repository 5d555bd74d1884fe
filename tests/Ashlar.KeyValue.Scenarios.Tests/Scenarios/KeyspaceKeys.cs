using System.Diagnostics.CodeAnalysis;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// What is in keyspaces, as the model has it: "~users" is there as long as there is a keyspace of that name, "~users/k1" is a key in it. So
/// whatever holds of keys holds of names: in backups and archives, after a repair, and after a crash.
/// </summary>
static class KeyspaceKeys
{
    const char First = '~', Separator = '/', BehindSeparator = '0';

    /// <summary>Names of keyspaces.</summary>
    public static IReadOnlyList<string> Names { get; } = ["orders", "users"];

    /// <summary>Where all of them begin.</summary>
    public static string Start => $"{First}";

    public static string Of(string keyspace) => $"{First}{keyspace}";

    public static string Of(string keyspace, string key) => $"{First}{keyspace}{Separator}{key}";

    /// <summary>All keys in a keyspace, without its name.</summary>
    public static KeySpan AllOf(string keyspace) => new($"{First}{keyspace}{Separator}", $"{First}{keyspace}{BehindSeparator}");

    /// <summary>Keys of a keyspace from one to another, which is not among them.</summary>
    public static KeySpan Between(string keyspace, string start, string end) => new(Of(keyspace, start), Of(keyspace, end));

    /// <summary>Whether it is a name.</summary>
    public static bool IsName(string modelKey, out string keyspace)
    {
        keyspace = "";
        if (modelKey.Length == 0 || modelKey[0] != First || modelKey.Contains(Separator, StringComparison.Ordinal)) return false;
        keyspace = modelKey[1..];
        return true;
    }

    /// <summary>Takes a key in a keyspace apart; false for a name, and outside of keyspaces.</summary>
    public static bool TrySplit(string modelKey, [NotNullWhen(true)] out string? keyspace, [NotNullWhen(true)] out string? key)
    {
        (keyspace, key) = (null, null);
        if (modelKey.Length == 0 || modelKey[0] != First || modelKey.IndexOf(Separator, StringComparison.Ordinal) is not (> 0 and var at))
            return false;
        (keyspace, key) = (modelKey[1..at], modelKey[(at + 1)..]);
        return true;
    }
}
