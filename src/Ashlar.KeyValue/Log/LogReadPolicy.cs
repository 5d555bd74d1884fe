namespace Ashlar.KeyValue.Log;

/// <summary>How much of each group is checked, and whether reading goes on behind one that fails.</summary>
enum LogReadPolicy
{
    /// <summary>Every byte, up to the first group that fails: who reads acts upon what the entries say.</summary>
    ToFirstFailure,

    /// <summary>The same without values: those that anything refers to are checked by who refers to them, the others are garbage. Ends of
    /// deleted ranges are no values.</summary>
    WithoutValues,

    /// <summary>
    /// Heads, and how each follows the one before. Only a place without a head ends it; entries are left to who reads, who takes of a
    /// damaged group what still holds.
    /// </summary>
    PastDamage,
}
