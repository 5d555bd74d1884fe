using System.CommandLine;
using System.Globalization;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>What several key-value commands take.</summary>
static class KeyValueArguments
{
    /// <summary>Stands for the directory of a store.</summary>
    public const string DirectoryName = "DIRECTORY";

    public static Argument<string> Directory() => new(DirectoryName)
    {
        Description = "The directory of the store",
        CustomParser = result =>
        {
            var path = result.Tokens[0].Value;
            if (path.Length == 0 || path.Contains('\0')) result.AddError($"'{path}' is not the path of a directory");
            return path;
        },
    };

    /// <summary>Stands for a keyspace that is there, in usage and for shells that complete its name.</summary>
    public const string KeyspacePlaceholder = "KEYSPACE";

    public static Argument<string> Key() => new("KEY") { Description = "The key" };

    public static Option<DurabilityChoice> Durability(Terminal terminal, DurabilityChoice defaultValue)
    {
        var option = Setting.Create(
            terminal,
            "--durability",
            "KIND",
            $"sync: on stable storage when the command ends; relaxed: soon after [default: {defaultValue.ToString().ToLowerInvariant()}]",
            ParseDurability,
            defaultValue);
        option.CompletionSources.Add("sync", "relaxed");
        return option;
    }

    public static Option<string?> Keyspace(Terminal terminal) => Setting.Create<string?>(
        terminal, "--keyspace", KeyspacePlaceholder, "Entries of this keyspace [default: those that are in none]",
        ParseKeyspaceName, null);

    public static Argument<string> KeyspaceName(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            try
            {
                return ParseKeyspaceName(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError($"{name}: {e.Message}");
                return "";
            }
        },
    };

    /// <summary>Opens a store to change it.</summary>
    /// <param name="invocation">The call.</param>
    /// <param name="directory">Where it is.</param>
    /// <param name="keyspace">Says whose entries are meant; null where it is the store as a whole.</param>
    public static OpenedStore Open(Invocation invocation, Argument<string> directory, Option<string?>? keyspace = null) =>
        Open(invocation, directory, keyspace, isReadOnly: false);

    /// <summary>Opens a store that will not be changed: not even what a crash left is tidied up.</summary>
    /// <inheritdoc cref="Open(Invocation, Argument{string}, Option{string?}?)" path="/param" />
    public static OpenedStore OpenToLook(Invocation invocation, Argument<string> directory, Option<string?>? keyspace = null) =>
        Open(invocation, directory, keyspace, isReadOnly: true);

    /// <summary>What creates the store where there is none.</summary>
    public static string CreateCommand(Invocation invocation, Argument<string> directory) =>
        $"create it with: {invocation.CommandLines.Of($"kv create {ShellWord.Quote(invocation.Get(directory))}")}";

    public static string FullPath(Invocation invocation, Argument<string> directory) =>
        TypedPath.OfDirectory(invocation.Get(directory));

    /// <summary>Refuses a directory for backups, an archive or a repaired store that overlaps with the store's own.</summary>
    public static void RequireApart(string store, string other, string what)
    {
        if (FileSystems.Real.Overlap(store, other))
            throw Usage.Error($"{what}: {other} and {store} are one, or one lies in the other", "name a directory beside the store's");
    }

    /// <summary>A whole number within limits.</summary>
    public static Func<string, long> ParseNumber(long least, long most) => text =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"'{text}' is not a number from {least} to {most}");

    static OpenedStore Open(Invocation invocation, Argument<string> directory, Option<string?>? keyspace, bool isReadOnly)
    {
        var name = keyspace is null ? null : invocation.Get(keyspace);
        try
        {
            return OpenedStore.Open(FullPath(invocation, directory), isReadOnly, CreateCommand(invocation, directory), name);
        }
        catch (CommandException missing) when (missing.ExitCode == ExitCode.NotFound && name is not null)
        {
            var store = ShellWord.Quote(invocation.Get(directory));
            throw missing.Hinting(isReadOnly
                ? $"list them with: {invocation.CommandLines.Of($"kv keyspace list {store}")}"
                : $"create it with: {invocation.CommandLines.Of($"kv keyspace create {store} {ShellWord.Quote(name)}")}");
        }
    }

    static string ParseKeyspaceName(string text)
    {
        var length = System.Text.Encoding.UTF8.GetByteCount(text);
        return length is > 0 and <= KeyValueStore.KeyspaceNameLimitBytes
            ? text
            : throw new FormatException(
                $"'{text}' is not the name of a keyspace: a name has 1 to {KeyValueStore.KeyspaceNameLimitBytes} bytes, not {length}");
    }

    static DurabilityChoice ParseDurability(string text) => text switch
    {
        "sync" => DurabilityChoice.Sync,
        "relaxed" => DurabilityChoice.Relaxed,
        _ => throw new FormatException($"'{text}' is not a kind of durability: expected sync or relaxed"),
    };
}
