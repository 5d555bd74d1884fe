namespace Ashlar.KeyValue.Log;

/// <summary>Where reading of a segment begins.</summary>
/// <param name="Offset">Place of the first group.</param>
/// <param name="PreviousCrc">HeaderCrc of the group before it, 0 if there is none; null if that is not known.</param>
/// <param name="LastSequence">Sequence of the last entry before it.</param>
readonly record struct LogReadStart(long Offset, uint? PreviousCrc, ulong LastSequence)
{
    /// <summary>The first group of a segment.</summary>
    public static LogReadStart Beginning(ulong lastSequence = 0) => new(LogSegmentHeader.SizeBytes, 0, lastSequence);
}
