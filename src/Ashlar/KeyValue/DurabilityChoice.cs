using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary>
/// What <c>--durability</c> can be. Not the engine's own type: setting up the command line would load the engine, which most
/// commands do without.
/// </summary>
enum DurabilityChoice
{
    Sync = 0,
    Relaxed,
}

static class DurabilityChoices
{
    public static Durability ToDurability(this DurabilityChoice choice) =>
        choice == DurabilityChoice.Sync ? Durability.Sync : Durability.Relaxed;
}
