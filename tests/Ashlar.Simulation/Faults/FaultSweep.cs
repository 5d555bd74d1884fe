using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>Runs a scenario again and again, with the first operation failing, then the second, and so on to the last.</summary>
public static class FaultSweep
{
    /// <summary>Runs until the scenario passes without reaching the fault.</summary>
    /// <param name="rule">Which operations fail and how; <see cref="FaultRule.Nth"/> is what the sweep counts up.</param>
    /// <param name="newDisk">A fresh disk for each run.</param>
    /// <param name="scenario">Must cope with the fault; it may <see cref="FaultyFileSystem.Heal"/> the disk and look again.</param>
    /// <param name="probes">Hears what was called and what failed.</param>
    /// <param name="seed">What the scenario's choices came from, for the message; null where it has none.</param>
    /// <returns>Operations that were made to fail.</returns>
    public static int Run(
        FaultRule rule,
        Func<IFileSystem> newDisk,
        Action<FaultyFileSystem> scenario,
        FaultProbes? probes = null,
        ulong? seed = null)
    {
        ArgumentNullException.ThrowIfNull(newDisk);
        ArgumentNullException.ThrowIfNull(scenario);
        for (var nth = 1; ; nth++)
        {
            var disk = new FaultyFileSystem(newDisk(), rule with { Nth = nth }) { Probes = probes };
            try
            {
                scenario(disk);
            }
            catch (Exception cause)
            {
                var replay = seed is null ? "" : $"ASHLAR_SEED={seed}: ";
                var message = $"{replay}With operation {nth} of {rule.Operations} failing ({rule.Kind}, {disk.LastFired}): {cause.Message}";
                throw new FaultSweepException(message, cause);
            }

            if (disk.FiredCount == 0) return nth - 1;
        }
    }
}

/// <summary>A scenario did not cope with a fault.</summary>
public sealed class FaultSweepException(string message, Exception cause) : Exception(message, cause);
