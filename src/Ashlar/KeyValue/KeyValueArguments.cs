using System.CommandLine;
using System.Globalization;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>What several key-value commands take.</summary>
static class KeyValueArguments
{
    public static Argument<string> Directory() => new("DIRECTORY")
    {
        Description = "The directory of the store",
        CustomParser = result =>
        {
            var path = result.Tokens[0].Value;
            if (path.Length == 0 || path.Contains('\0')) result.AddError($"'{path}' is not the path of a directory");
            return path;
        },
    };

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

    public static OpenedStore Open(Invocation invocation, Argument<string> directory) =>
        OpenedStore.Open(FullPath(invocation, directory), isReadOnly: false, CreateCommand(invocation, directory));

    /// <summary>Opens a store that will not be changed: not even what a crash left is tidied up.</summary>
    public static OpenedStore OpenToLook(Invocation invocation, Argument<string> directory) =>
        OpenedStore.Open(FullPath(invocation, directory), isReadOnly: true, CreateCommand(invocation, directory));

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

    static DurabilityChoice ParseDurability(string text) => text switch
    {
        "sync" => DurabilityChoice.Sync,
        "relaxed" => DurabilityChoice.Relaxed,
        _ => throw new FormatException($"'{text}' is not a kind of durability: expected sync or relaxed"),
    };
}
