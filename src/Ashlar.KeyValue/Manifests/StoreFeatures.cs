namespace Ashlar.KeyValue.Manifests;

/// <summary>
/// What a store has that programs of before it could not read, or would break. A bit is in the manifest, durably, before anything is
/// written that needs it: those programs refuse the store. Stored: bits are never reused.
/// </summary>
[Flags]
enum StoreFeatures : ulong
{
    None = 0,

    /// <summary>Ranges are deleted by one entry of the log.</summary>
    RangeDeletes = 1 << 0,

    /// <summary>Keys that begin with FF FF FF FF are those of keyspaces.</summary>
    Keyspaces = 1 << 1,

    /// <summary>All that this program knows.</summary>
    All = RangeDeletes | Keyspaces,
}
