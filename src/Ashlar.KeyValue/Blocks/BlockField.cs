using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Blocks;

/// <summary>What a row of a block holds of its entry, in this order.</summary>
enum BlockField
{
    /// <summary>
    /// Where the entry's bytes begin in the heap; where all entries have as many, their number is the base and the field has no width.
    /// </summary>
    Start = 0,

    /// <summary>Bytes of the key behind the prefix.</summary>
    SuffixBytes,
    Kind,
    Sequence,

    /// <summary>Of entries with a <see cref="ValuePlace"/>: its parts.</summary>
    SegmentId,
    Offset,
    LengthBytes,
    ValueCrc,
}
