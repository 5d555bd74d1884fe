namespace Ashlar.KeyValue.Manifests;

/// <summary>How far the log is in the archive, by the word of the manifest; the archive itself may be further.</summary>
/// <param name="ThroughLog">Segments of the log up to this one are in the archive as a whole, or are older than it.</param>
/// <param name="LastSequence">Every write up to this sequence is in the archive, or is older than it.</param>
/// <param name="Part">Number of the newest part; 0 if there is none yet.</param>
/// <param name="PartCrc">Checksum of the head of that part.</param>
readonly record struct ArchivePosition(ulong ThroughLog, ulong LastSequence, ulong Part, uint PartCrc);
