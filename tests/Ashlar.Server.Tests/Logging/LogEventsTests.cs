using System.Reflection;
using System.Text.RegularExpressions;
using Ashlar.TestKit;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Logging;

/// <summary>Programs decide by the names of events: each stands in the documentation, and none that is not there.</summary>
public sealed partial class LogEventsTests
{
    static string[] Names =>
        [.. typeof(LogEvents).GetFields(BindingFlags.Public | BindingFlags.Static).Select(each => (string)each.GetRawConstantValue()!)];

    [Fact]
    public void Each_event_stands_in_the_documentation()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docs/operating/logs-and-metrics.md"));
        var table = text[text.IndexOf("| `event` | level |", StringComparison.Ordinal)..text.IndexOf("## Metrics", StringComparison.Ordinal)];
        var documented = Row().Matches(table).SelectMany(row => Name().Matches(row.Value)).Select(name => name.Value.Trim('`'));
        Assert.Equal(Names.Order(StringComparer.Ordinal), documented.Where(name => name != "event").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_event_of_a_pool_has_a_name()
    {
        var named = new List<string>();
        using var journal = new PoolJournal("main", entry => named.Add(entry.Event), TimeProvider.System);
        foreach (var kind in Enum.GetValues<PoolEventKind>()) journal.Observe(new(kind, PoolEventSeverity.Warning, "pool main: something"));
        Assert.Equal(Enum.GetValues<PoolEventKind>().Length, named.Distinct().Count());
        Assert.Empty(named.Except(Names));
    }

    // The first cell.
    [GeneratedRegex(@"^\| [^|]*\|", RegexOptions.Multiline, 10_000)]
    private static partial Regex Row();

    [GeneratedRegex("`[a-z-]+`", RegexOptions.None, 10_000)]
    private static partial Regex Name();
}
