using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>A unit as one initiator reaches it.</summary>
/// <param name="Number">The LUN.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Session">The initiator's session with the unit's volume; its requests go there.</param>
public sealed record ScsiLun(int Number, LogicalUnit Unit, ClientSession Session);
