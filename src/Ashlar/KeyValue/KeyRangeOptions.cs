using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>The options <c>--prefix</c>, <c>--from</c> and <c>--to</c>.</summary>
sealed class KeyRangeOptions
{
    readonly Option<string?> prefix = new("--prefix") { Description = "Only keys that begin with this", HelpName = "KEY" };
    readonly Option<string?> from = new("--from") { Description = "Only keys from this one on", HelpName = "KEY" };
    readonly Option<string?> to = new("--to") { Description = "Only keys before this one", HelpName = "KEY" };

    public IEnumerable<Option> All => [prefix, from, to];

    public bool IsGiven(Invocation invocation) => All.Any(invocation.IsGiven);

    /// <summary>The range; every key where nothing is given.</summary>
    /// <exception cref="CommandException">The options contradict each other, or a key is not in its encoding.</exception>
    public KeyRange Parse(Invocation invocation, EncodingOptions encoding)
    {
        var (prefixText, fromText, toText) = (invocation.Get(prefix), invocation.Get(from), invocation.Get(to));
        // No key is empty: it is a variable of a script that was not set.
        foreach (var option in All.Where(option => invocation.Get((Option<string?>)option) is ""))
            throw Usage.Error($"{option.Name} is empty", "leave it away for all keys");
        if (prefixText is not null)
        {
            if (fromText is not null || toText is not null) throw Usage.Error("--prefix cannot be combined with --from and --to");
            return KeyRange.Prefix(encoding.Parse(invocation, prefixText));
        }

        var start = fromText is null ? [] : encoding.Parse(invocation, fromText);
        if (toText is null) return KeyRange.From(start);
        var end = encoding.Parse(invocation, toText);
        return start.AsSpan().SequenceCompareTo(end) > 0 ? throw Usage.Error("--from is after --to") : KeyRange.Between(start, end);
    }

    /// <summary>The range in words: "keys that begin with 'city/'".</summary>
    public string Describe(Invocation invocation) => (invocation.Get(prefix), invocation.Get(from), invocation.Get(to)) switch
    {
        ({ } begun, _, _) => $"keys that begin with '{begun}'",
        (_, { } first, { } end) => $"keys from '{first}' up to '{end}'",
        (_, { } first, null) => $"keys from '{first}' on",
        (_, null, { } end) => $"keys before '{end}'",
        _ => "all keys",
    };
}
