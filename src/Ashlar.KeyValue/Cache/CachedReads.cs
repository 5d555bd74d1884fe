namespace Ashlar.KeyValue.Cache;

/// <summary>
/// Says of the thread's reads that they must not wait for the disk. What a table needs for them is looked for in memory and in the page
/// cache; a block that is in neither is none.
/// </summary>
/// <remarks>
/// Invariant: after a refusal nothing counts that the lookup finds further down, where entries are older (I1): whoever began
/// asks <see cref="WasRefused"/> before all else.
/// </remarks>
static class CachedReads
{
    [ThreadStatic]
    static bool areRequired;

    [ThreadStatic]
    static bool wasRefused;

    /// <summary>Whether reads of this thread must not wait.</summary>
    public static bool AreRequired => areRequired;

    /// <summary>Whether a read was refused since <see cref="Begin"/>.</summary>
    public static bool WasRefused => wasRefused;

    /// <summary>From here on reads do not wait; <see cref="End"/> must follow.</summary>
    public static void Begin() => (areRequired, wasRefused) = (true, false);

    /// <summary>Reads may wait again.</summary>
    public static void End() => areRequired = false;

    /// <summary>A read would have to wait.</summary>
    public static void Refuse() => wasRefused = true;
}
