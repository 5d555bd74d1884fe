using System.Globalization;

namespace Ashlar.Server;

/// <summary>What an operator should do something about before it hurts.</summary>
static class PoolWarnings
{
    const double FullnessWarning = 0.85;

    public static IReadOnlyList<string> Of(IEnumerable<ServedPool> pools)
    {
        var warnings = new List<string>();
        foreach (var pool in pools)
        {
            var statistics = pool.Statistics;
            if (statistics.Failure is { } failure) warnings.Add($"pool {pool.Name} refuses writes until the server is started again: {failure.Message}");
            if (statistics.CorruptBlocks > 0) warnings.Add($"pool {pool.Name} found {statistics.CorruptBlocks} damaged blocks since it was opened");
            var usage = pool.Usage;
            var fullness = usage.CapacityBytes == 0 ? 1 : (double)usage.AllocatedBytes / usage.CapacityBytes;
            if (fullness >= FullnessWarning)
                warnings.Add(string.Create(CultureInfo.InvariantCulture, $"pool {pool.Name} is {fullness:P0} full; writes fail when it is full"));
        }
        return warnings;
    }
}
