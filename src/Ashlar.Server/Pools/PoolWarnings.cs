using System.Globalization;

namespace Ashlar.Server;

/// <summary>What an operator should do something about before it hurts.</summary>
static class PoolWarnings
{
    const double FullnessWarning = 0.85;

    public static IReadOnlyList<string> Of(IEnumerable<ServedPool> pools) => [.. pools.SelectMany(Of)];

    static IEnumerable<string> Of(ServedPool pool)
    {
        var statistics = pool.Statistics;
        if (statistics.Failure is { } failure)
            yield return $"pool {pool.Name} refuses writes until the server is started again: {failure.Message}";
        if (statistics.CorruptBlocks is > 0 and var count)
            yield return $"pool {pool.Name} found {count} damaged blocks since it was opened";

        var usage = pool.Usage;
        var fullness = usage.CapacityBytes == 0 ? 1 : (double)usage.AllocatedBytes / usage.CapacityBytes;
        if (fullness >= FullnessWarning)
            yield return string.Create(CultureInfo.InvariantCulture, $"pool {pool.Name} is {fullness:P0} full; writes fail when it is full");
    }
}
