namespace Ashlar.Server;

/// <summary>What stands at the doors of all volumes of a server, whatever protocol clients come by.</summary>
/// <param name="Decide">Who may reach a volume.</param>
/// <param name="Reservations">Where reservations are kept that outlive the server.</param>
sealed record VolumeGuard(ExportRule Decide, ReservationFiles Reservations);
