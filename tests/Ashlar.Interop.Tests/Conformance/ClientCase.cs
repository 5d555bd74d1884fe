using System.Text.RegularExpressions;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>What a client of NBD or NVMe was asked to do, and what came of it; docs/conformance.md is the expectation.</summary>
/// <param name="Client">The program or library.</param>
/// <param name="Name">What was tried.</param>
/// <param name="Outcome">"pass" or "fail".</param>
/// <param name="Remark">Why it did not pass.</param>
sealed partial record ClientCase(string Client, string Name, string Outcome, string Remark)
{
    /// <summary>Rows of a table.</summary>
    public static IReadOnlyList<ClientCase> Read(string text) =>
    [
        .. RowPattern().Matches(text).Select(static row => new ClientCase(
            row.Groups["client"].Value, row.Groups["name"].Value, row.Groups["outcome"].Value, row.Groups["remark"].Value.Trim())),
    ];

    /// <summary>What the page says of a protocol.</summary>
    public static IReadOnlyList<ClientCase> ReadPage(string heading) =>
        Read(ReadText().Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal)));

    /// <summary>The page.</summary>
    public static string ReadText() => File.ReadAllText(Path.Combine(Repository.Root, "docs", "conformance.md"));

    /// <summary>Tries something.</summary>
    public static ClientCase Try(string client, string name, Action attempt)
    {
        try
        {
            attempt();
            return new(client, name, "pass", "");
        }
        catch (Exception e)
        {
            return new(client, name, "fail", e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>Fails unless both are the same, in whatever order.</summary>
    public static void MustBeEqual(IReadOnlyList<ClientCase> page, IReadOnlyList<ClientCase> found)
    {
        Assert.Equal(found.Count, found.Select(static each => (each.Client, each.Name)).Distinct().Count());
        Assert.Empty(found.Except(page).Select(static each => $"not on the page: {each.Row}"));
        Assert.Empty(page.Except(found).Select(static each => $"only on the page: {each.Row}"));
    }

    /// <summary>As it stands on the page.</summary>
    public string Row => $"| {Client} | {Name} | {Outcome} |{(Remark.Length == 0 ? "" : " " + Remark)} |";

    [GeneratedRegex(
        @"^\| (?<client>[^|]+) \| (?<name>[^|]+) \| (?<outcome>pass|fail) \|(?<remark>[^|]*)\|$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex RowPattern();
}
