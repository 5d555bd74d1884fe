using System.Globalization;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>How long, and from which seed: numbers of the environment, with defaults for every day.</summary>
static class Settings
{
    public static int KillCycles => Number("ASHLAR_ENGINE_KILLS", 200);

    public static int PowerCuts => Number("ASHLAR_POWER_CUTS", 60);

    /// <summary>A failure prints it; what depends on the machine's pace does not replay.</summary>
    public static ulong Seed => Read("ASHLAR_SEED") ?? Read("ASHLAR_SEED_FROM") ?? (ulong)Random.Shared.NextInt64(1_000_000_000);

    static ulong? Read(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;

    static int Number(string name, int usual) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : usual;
}
