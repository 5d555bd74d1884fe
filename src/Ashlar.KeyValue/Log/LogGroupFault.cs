namespace Ashlar.KeyValue.Log;

/// <summary>How the next group of a log fails. Where several of these are true it is the first of them, in this order.</summary>
enum LogGroupFault
{
    None,

    /// <summary>No head of a group of this segment lies here.</summary>
    Head,

    /// <summary>The head names another group before it than the one that lies there.</summary>
    Chain,

    /// <summary>The group goes beyond the end of the file, or is longer than any that is written.</summary>
    Length,

    /// <summary>An entry does not hold.</summary>
    Entry,

    /// <summary>There are more or fewer entries than the head says, or none.</summary>
    Count,

    /// <summary>The heads of the entries are not those that the group was written with.</summary>
    Body,

    /// <summary>Its first sequence was given out before.</summary>
    Sequence,

    /// <summary>It was committed before the group that it follows.</summary>
    CommitTime,
}
