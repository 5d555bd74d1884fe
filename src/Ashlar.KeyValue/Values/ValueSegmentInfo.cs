namespace Ashlar.KeyValue.Values;

/// <summary>Where the values of a segment come from, and so what its file is called. Stored: numbers are never reused.</summary>
enum SegmentOrigin : byte
{
    /// <summary>It was the log once.</summary>
    Log = 1,

    /// <summary>They were moved there: records of <see cref="MovedRecordHeader"/>. The file is named as those of the log are.</summary>
    Moved = 2,
}

/// <summary>What the manifest knows of a segment that tables refer to and that is not replayed any more.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Nonce">What its checksums are seeded with.</param>
/// <param name="Origin">Where its values come from.</param>
/// <param name="EndOffset">End of its last group: the file is at least that long.</param>
readonly record struct ValueSegmentInfo(ulong Id, ulong Nonce, SegmentOrigin Origin, long EndOffset);
