namespace Ashlar.KeyValue;

/// <summary>What a get found that does not wait for the disk.</summary>
public enum CachedGet
{
    /// <summary>It would have to wait: a get finds out.</summary>
    WouldWait = 0,

    /// <summary>The key is present, and its value was copied.</summary>
    Found,

    /// <summary>The key is absent.</summary>
    Absent,

    /// <summary>The key is present, but its value is longer than the memory for it. Nothing was copied.</summary>
    TooShort,
}
