using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>What people say of a volume, on a command line: <c>--label KEY=VALUE --description TEXT --trash TIME|none</c>.</summary>
sealed class VolumeDescriptionOptions(Terminal terminal)
{
    const long AsThePool = -1;

    public Option<KeyValuePair<string, string>[]> Label { get; } = new("--label")
    {
        Description = "A label by which it is found; may be given several times",
        HelpName = "KEY=VALUE",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParseLabels,
        DefaultValueFactory = _ => [],
    };

    public Option<string?> Description { get; } = new("--description") { Description = "What it is for, in one line", HelpName = "TEXT" };

    public Option<long?> Trash { get; } = Setting.Create<long?>(
        terminal,
        "--trash",
        "TIME",
        "How long it stays in the trash when it is deleted, such as 7d; none, or pool for as long as its pool says",
        text => text switch
        {
            "none" => 0,
            "pool" => AsThePool,
            _ => (long)Math.Max(1, Duration.Parse(text).TotalSeconds),
        },
        null);

    /// <summary>The labels that were given; null when none was.</summary>
    public IReadOnlyDictionary<string, string>? Labels(Invocation invocation)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in invocation.Get(Label)!)
            if (!labels.TryAdd(key, value)) throw Usage.Error($"--label: '{key}' is given twice");
        return labels.Count == 0 ? null : labels;
    }

    public long? TrashSeconds(Invocation invocation) => invocation.Get(Trash);

    /// <summary>For people: "env=prod, tier"; null where there are none.</summary>
    public static string? Format(IReadOnlyDictionary<string, string>? labels) => labels is null ? null : string.Join(", ", labels
        .OrderBy(label => label.Key, StringComparer.Ordinal)
        .Select(label => label.Value.Length == 0 ? label.Key : $"{label.Key}={label.Value}"));

    /// <summary>For people: "stay there for 7 days 0 h".</summary>
    public static string FormatTrash(long seconds) => seconds == 0
        ? "go for good at once"
        : $"stay there for {Duration.Format(TimeSpan.FromSeconds(seconds))}";

    static KeyValuePair<string, string>[] ParseLabels(ArgumentResult result)
    {
        var labels = new List<KeyValuePair<string, string>>();
        foreach (var token in result.Tokens)
        {
            if (token.Value.Split('=', 2) is [{ Length: > 0 } key, var value]) labels.Add(new(key, value));
            else result.AddError($"--label: '{token.Value}' is not a label: expected KEY=VALUE");
        }
        return [.. labels];
    }
}
