using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>Several workloads, each with the disks that a crash may leave of it.</summary>
static class CrashExploration
{
    /// <summary>Explores them, and says what was met.</summary>
    /// <param name="line">What this is called.</param>
    /// <param name="test">Whose seeds.</param>
    /// <param name="workloads">How many, with one seed after the other.</param>
    /// <param name="least">Distinct disks that are met at least.</param>
    /// <param name="explore">Explores that of a seed.</param>
    /// <param name="output">Where it is said.</param>
    public static async Task RunAsync(
        string line, string test, int workloads, int least, Func<ulong, Task<CrashExplorerResult>> explore, ITestOutputHelper output)
    {
        var seed = TestSeeds.First(test);
        var (distinct, nested, deaths) = (0, 0, 0);
        for (var i = 0; i < workloads; i++)
        {
            var result = await explore(seed + (ulong)i);
            distinct += result.Distinct;
            nested += result.Nested;
            deaths += result.Deaths;
        }

        output.WriteLine(JsonSerializer.Serialize(new { line, seed, workloads, distinct, nested, deaths, failures = 0 }));
        if (TestSeeds.Replayed is null) Assert.True(distinct >= least, $"only {distinct} states");
    }
}
