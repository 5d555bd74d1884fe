using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Negotiation;

/// <summary>A metadata context that a client has selected.</summary>
/// <param name="Id">By which both sides know it in this session.</param>
/// <param name="Name">By which it was selected.</param>
/// <param name="Origin">The snapshot since which it tells what has changed; null where it tells what is allocated.</param>
sealed record SelectedContext(uint Id, string Name, string? Origin);

/// <summary>Which metadata contexts an export has, and which of them queries mean.</summary>
static class MetaContexts
{
    /// <summary>How many a session can have: each costs a look at the map for each request.</summary>
    public const int MaxSelected = 16;

    /// <summary>Whether it takes the snapshots of the export to answer queries: most clients ask for what is allocated alone.</summary>
    public static bool NeedOrigins(IReadOnlyList<string> queries, bool isSelection) => queries.Count == 0
        ? !isSelection
        : queries.Any(static query => query.StartsWith(NbdProtocol.OwnNamespace, StringComparison.Ordinal));

    /// <summary>The names that queries match, each once.</summary>
    /// <param name="queries">Each is "namespace:leaf". No query at all lists everything but selects nothing.</param>
    /// <param name="isSelection">Then a name must be given whole; otherwise what ends in a colon stands for all that begin so.</param>
    /// <param name="origins">Snapshots that the export has contexts for.</param>
    public static IReadOnlyList<string> Match(IReadOnlyList<string> queries, bool isSelection, IReadOnlyList<string> origins)
    {
        string[] all = [NbdProtocol.BaseAllocation, .. origins.Select(origin => NbdProtocol.DirtySincePrefix + origin)];
        if (queries.Count == 0) return isSelection ? [] : all;
        var named = queries.ToHashSet(StringComparer.Ordinal);
        return [.. all.Where(name => named.Contains(name) || (!isSelection && PrefixesOf(name).Any(named.Contains)))];
    }

    /// <summary>The contexts of a selection.</summary>
    public static IReadOnlyList<SelectedContext> Select(IReadOnlyList<string> names) =>
    [
        .. names.Select((name, i) => new SelectedContext(
            (uint)i + 1,
            name,
            name == NbdProtocol.BaseAllocation ? null : name[NbdProtocol.DirtySincePrefix.Length..])),
    ];

    static IEnumerable<string> PrefixesOf(string name) =>
        Enumerable.Range(0, name.Length).Where(i => name[i] == ':').Select(i => name[..(i + 1)]);
}
