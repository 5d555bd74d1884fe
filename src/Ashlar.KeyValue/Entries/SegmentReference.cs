namespace Ashlar.KeyValue.Entries;

/// <summary>How much of a segment a table refers to.</summary>
/// <param name="SegmentId">The segment.</param>
/// <param name="LiveBytes">Bytes of the log entries that hold the values: head, key and value.</param>
/// <param name="Count">Number of values.</param>
readonly record struct SegmentReference(ulong SegmentId, long LiveBytes, long Count);
