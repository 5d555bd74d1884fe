namespace Ashlar.KeyValue.Log;

/// <summary>How an entry of the log fails.</summary>
enum LogEntryFault
{
    None,

    /// <summary>It does not fit into what is there of its group: where it ends is not known.</summary>
    Length,

    /// <summary>Its head or key does not hold: where it ends is not known.</summary>
    Key,

    /// <summary>Its value does not hold; everything else does.</summary>
    Value,
}
