namespace Ashlar.Planning;

// What follows '#' is not read. A section for each set of data:
//   team = 4
//   [orders]
//   queries     = transaction, lookup, join
//   consistency = transactions                 eventual, session, strong, transactions
//   role        = record                       record, derived, ephemeral
//   writes      = 500/s                        at peak
//   reads       = 5k/s
//   size        = 2TiB                         one copy
/// <summary>Reads what an application needs.</summary>
public static class NeedsFile
{
    /// <summary>Reads the text of a file of needs.</summary>
    /// <param name="text">The text.</param>
    /// <param name="system">The system of its sizes; null if all are plain bytes.</param>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static AdviceNeeds Parse(string text, out UnitSystem? system)
    {
        var (data, team) = (new List<DataNeed>(), (int?)null);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        system = null;
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Split('#')[0].Trim();
            if (line.Length == 0) continue;
            try
            {
                if (line is ['[', .. var name, ']'])
                {
                    if (name.Trim().Length == 0 || data.Exists(need => need.Name == name.Trim()))
                        throw new FormatException($"'{line}' has no name, or one that is there already");
                    data.Add(new() { Name = name.Trim(), Queries = [] });
                    seen.Clear();
                    continue;
                }

                var at = line.IndexOf('=', StringComparison.Ordinal);
                if (at < 0) throw new FormatException($"'{line}' is neither [NAME] nor KEY = VALUE");
                var (key, value) = (line[..at].Trim(), line[(at + 1)..].Trim());
                if (!seen.Add(key)) throw new FormatException($"'{key}' is there already");
                if (key == "team" && data.Count == 0) team = (int)Count1000.Parse(value, 1, 100_000);
                else if (data.Count == 0) throw new FormatException($"'{key}' comes before the first [NAME]");
                else data[^1] = Set(data[^1], key, value, ref system);
            }
            catch (FormatException e)
            {
                throw new FormatException($"line {i + 1}: {e.Message}", e);
            }
        }

        if (data.Find(need => need.Queries.Count == 0) is { } empty) throw new FormatException($"[{empty.Name}] has no queries");
        return data.Count > 0
            ? new AdviceNeeds { Data = data, Team = team ?? new AdviceNeeds { Data = data }.Team }
            : throw new FormatException("it has no sets of data; write [NAME] and queries = lookup");
    }

    /// <summary>Reads "lookup, range".</summary>
    /// <exception cref="FormatException">One of them is not known.</exception>
    public static IReadOnlyList<QueryPattern> ParseQueries(string text)
    {
        var words = text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        var queries = words.Select(word => ParseName<QueryPattern>(word, "a query pattern")).ToArray();
        return queries.Length == 0
            ? throw new FormatException("expected query patterns, such as lookup,range")
            : queries.Distinct().Count() == queries.Length ? queries : throw new FormatException($"'{text}': a pattern is given twice");
    }

    /// <summary>Reads the name of a member of an enumeration, in small letters.</summary>
    /// <exception cref="FormatException">It is none; the message lists them.</exception>
    public static T ParseName<T>(string text, string what)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == text) return value;
        }

        throw new FormatException($"'{text}' is not {what}: expected {string.Join(", ", Enum.GetValues<T>().Select(NameOf))}");
    }

    /// <summary>"AddColumn" is "add-column".</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum =>
        string.Concat(value.ToString().Select((letter, i) =>
            char.IsAsciiLetterUpper(letter) ? $"{(i > 0 ? "-" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));

    static DataNeed Set(DataNeed need, string key, string value, ref UnitSystem? system)
    {
        switch (key)
        {
            case "queries":
                return need with { Queries = ParseQueries(value) };
            case "consistency":
                return need with { Consistency = ParseName<Consistency>(value, "a consistency") };
            case "role":
                return need with { Role = ParseName<DataRole>(value, "a role") };
            case "reads":
                return need with { Reads = Rate.Parse(value) };
            case "writes":
                return need with { Writes = Rate.Parse(value) };
            case "size":
                var size = ByteAmount.Parse(value);
                if (size.System is { } own && system is { } other && own != other)
                    throw new FormatException(
                        $"'{value}' is {NameOf(own)}, but an earlier size is {NameOf(other)}: binary (TiB) and decimal (TB) units are "
                            + "not mixed");
                system ??= size.System;
                return need with { Bytes = size.Bytes };
            default:
                throw new FormatException($"'{key}' is not known; known are queries, consistency, role, reads, writes, size");
        }
    }
}
