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

    public static Option<DurabilityChoice> Durability(Terminal terminal, DurabilityChoice defaultValue) => Setting.Create(
        terminal,
        "--durability",
        "KIND",
        $"sync: on stable storage when the command ends; relaxed: soon after [default: {defaultValue.ToString().ToLowerInvariant()}]",
        ParseDurability,
        defaultValue);

    public static OpenedStore Open(Invocation invocation, Argument<string> directory) =>
        OpenedStore.Open(FullPath(invocation, directory), isReadOnly: false);

    /// <summary>Opens a store that will not be changed: not even what a crash left is tidied up.</summary>
    public static OpenedStore OpenToLook(Invocation invocation, Argument<string> directory) =>
        OpenedStore.Open(FullPath(invocation, directory), isReadOnly: true);

    public static string FullPath(Invocation invocation, Argument<string> directory) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(invocation.Get(directory)));

    /// <summary>Refuses a directory for backups, an archive or a repaired store that overlaps with the store's own.</summary>
    public static void RequireApart(string store, string other, string what)
    {
        if (FileSystems.Real.Overlap(store, other))
            throw Usage.Error($"{what}: {other} and {store} are one, or one lies in the other", "name a directory beside the store's");
    }

    /// <summary>"30s", "5m", "2h", "7d", "500ms".</summary>
    public static TimeSpan ParseTime(string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        TimeSpan? unit = text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" or "min" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => null,
        };
        return unit is { } one && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 && number <= TimeSpan.FromDays(365_000) / one
                ? number * one
                : throw new FormatException($"'{text}' is not a time: expected a number and ms, s, m, h or d, such as 30s");
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
