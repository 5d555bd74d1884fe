namespace Ashlar.KeyValue.Victim;

/// <summary>What kind of store a victim writes to.</summary>
public enum StoreKind
{
    /// <summary>One engine.</summary>
    Single = 0,

    /// <summary>One engine with so little room that values of old segments move all the time, and that is backed up meanwhile.</summary>
    Collecting,

    /// <summary>Several engines; the keys that all threads share are salted.</summary>
    Sharded,
}
