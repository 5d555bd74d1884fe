namespace Ashlar.KeyValue.Log;

/// <summary>
/// Where the log ends: the segment, the end of its last sound group, and that group's HeaderCrc (0 if it has none).
/// </summary>
readonly record struct LogEnd(ulong SegmentId, long EndOffset, uint HeaderCrc);
