namespace Ashlar.CommandLine;

/// <summary>What somebody may have meant.</summary>
static class Suggestions
{
    /// <summary>The nearest known word, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> known) => known
        .Select(candidate => (Candidate: candidate, Distance: Distance(word.ToLowerInvariant(), candidate)))
        .Where(pair => pair.Distance <= Math.Max(1, pair.Candidate.Length / 3) || IsBeginning(word, pair.Candidate))
        .OrderBy(pair => pair.Distance)
        .Select(pair => pair.Candidate)
        .FirstOrDefault();

    static bool IsBeginning(string word, string candidate) =>
        word.Length >= 2 && candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).</summary>
    static int Distance(string a, string b)
    {
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) cost[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) cost[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
