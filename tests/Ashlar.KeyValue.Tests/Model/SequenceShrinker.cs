namespace Ashlar.KeyValue.Tests;

/// <summary>Looks greedily for the fewest operations of a sequence that still make it fail.</summary>
static class SequenceShrinker
{
    const int MostAttempts = 200;

    /// <param name="failing">Positions of the operations of a sequence that fails.</param>
    /// <param name="fails">Whether a sequence of some of them fails.</param>
    public static IReadOnlyList<int> Shrink(IReadOnlyList<int> failing, Func<IReadOnlyList<int>, bool> fails)
    {
        var rest = failing.ToList();
        var attempts = 0;
        for (var length = rest.Count / 2; length > 0; length /= 2)
        {
            for (var from = 0; from < rest.Count && attempts < MostAttempts;)
            {
                List<int> candidate = [.. rest[..from], .. rest[Math.Min(rest.Count, from + length)..]];
                attempts++;
                if (candidate.Count > 0 && fails(candidate)) rest = candidate;
                else from += length;
            }
        }

        return rest;
    }
}
