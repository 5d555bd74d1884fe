using System.Globalization;

namespace Ashlar.Files.Bench;

/// <summary>The result: a table as documents have it, row by row.</summary>
static class Table
{
    public static void Begin()
    {
        Console.WriteLine("| work | Ashlar | beside | ratio | wanted |");
        Console.WriteLine("|---|---|---|---|---|");
    }

    public static void Row(string work, double ours, string beside, double theirs, string wanted) => Line(
        work, Number(ours), $"{beside} {Number(theirs)}", (ours / theirs).ToString("F2", CultureInfo.InvariantCulture), wanted);

    public static void Row(string work, string ours, string wanted) => Line(work, ours, "", "", wanted);

    public static string Number(double value) => value.ToString(value < 10 ? "N2" : "N0", CultureInfo.InvariantCulture);

    static void Line(params string[] cells)
    {
        Console.WriteLine($"| {string.Join(" | ", cells)} |");
        Console.Out.Flush();
    }
}
