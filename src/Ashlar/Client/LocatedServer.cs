namespace Ashlar.CommandLine;

/// <summary>Where a command looks for its server.</summary>
/// <param name="Address">Of its REST API.</param>
/// <param name="Hint">What may help if nobody answers there.</param>
sealed record LocatedServer(Uri Address, string Hint);
