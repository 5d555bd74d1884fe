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
    static long count;

    /// <summary>Whether the caller may wait.</summary>
    public static bool AreAllowed => areAllowed;

    /// <summary>How often this thread has waited because it was allowed to.</summary>
    public static long Count => count;

    /// <summary>The thread waits: call it after <see cref="AreAllowed"/> was asked.</summary>
    public static void Waiting() => count++;

    /// <summary>Allows them until the scope is disposed of.</summary>
    public static Scope Allow()
    {
        var scope = new Scope(areAllowed);
        areAllowed = true;
        return scope;
    }

    /// <summary>Leaves it as it is: for callers that need a scope in either case.</summary>
    public static Scope Keep() => new(areAllowed);

    /// <summary>Ends what <see cref="Allow"/> has begun.</summary>
    public readonly ref struct Scope
    {
        readonly bool before;

        internal Scope(bool before) => this.before = before;

        /// <summary>As it was before.</summary>
        public void Dispose() => areAllowed = before;
    }
}
