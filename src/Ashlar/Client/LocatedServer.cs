namespace Ashlar.CommandLine;

/// <summary>Where a command looks for its server.</summary>
/// <param name="Address">Of its REST API.</param>
/// <param name="Hint">What may help if nobody answers there.</param>
/// <param name="Announced">Who must answer there, where a data directory led to it; null where the address itself was named.</param>
sealed record LocatedServer(Uri Address, string Hint, AnnouncedServer? Announced = null);
