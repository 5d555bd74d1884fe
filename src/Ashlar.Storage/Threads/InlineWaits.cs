namespace Ashlar.Storage;

/// <summary>
/// Whether the present thread may wait for the disk in the middle of what it called. Who would hand work to another thread and let its
/// caller go on can then do it at once: to wake a thread costs as much as a short flush.
/// </summary>
/// <remarks>
/// It holds for the calls that are made within the scope on this thread, not for what goes on elsewhere after something was awaited.
/// </remarks>
public static class InlineWaits
{
    [ThreadStatic]
    static bool areAllowed;

    [ThreadStatic]
    static bool areCertain;

    [ThreadStatic]
    static long count;

    /// <summary>Whether the caller may wait.</summary>
    public static bool AreAllowed => areAllowed;

    /// <summary>
    /// Whether the caller waits in any case, however long it takes: it has nothing else to do, and another thread would only be one more.
    /// </summary>
    public static bool AreCertain => areCertain;

    /// <summary>How often this thread has waited because it was allowed to.</summary>
    public static long Count => count;

    /// <summary>The thread waits: call it after <see cref="AreAllowed"/> was asked.</summary>
    public static void Waiting() => count++;

    /// <summary>Allows them until the scope is disposed of.</summary>
    public static Scope Allow()
    {
        var scope = Keep();
        areAllowed = true;
        return scope;
    }

    /// <summary>Allows them to a caller that waits in any case, until the scope is disposed of.</summary>
    public static Scope Expect()
    {
        var scope = Allow();
        areCertain = true;
        return scope;
    }

    /// <summary>Leaves it as it is: for callers that need a scope in either case.</summary>
    public static Scope Keep() => new(areAllowed, areCertain);

    /// <summary>Ends what <see cref="Allow"/> has begun.</summary>
    public readonly ref struct Scope
    {
        readonly bool wereAllowed;
        readonly bool wereCertain;

        internal Scope(bool wereAllowed, bool wereCertain) => (this.wereAllowed, this.wereCertain) = (wereAllowed, wereCertain);

        /// <summary>As it was before.</summary>
        public void Dispose() => (areAllowed, areCertain) = (wereAllowed, wereCertain);
    }
}
