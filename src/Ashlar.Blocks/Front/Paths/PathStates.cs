namespace Ashlar.Blocks;

/// <summary>States that somebody sets; until then every path is the best.</summary>
/// <remarks>
/// Invariant: a state holds for commands before anybody is told of it, so that who asks because he was told never hears the old one.
/// </remarks>
public sealed class PathStates : IPathStates
{
    readonly Lock gate = new();
    readonly int[] states; // Of PathState.
    readonly long[] changes;

    /// <summary>Creates them.</summary>
    /// <param name="count">How many groups there are; one at least.</param>
    public PathStates(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        states = new int[count];
        changes = new long[count];
    }

    /// <inheritdoc />
    public event EventHandler? Changed;

    /// <inheritdoc />
    public int Count => states.Length;

    /// <inheritdoc />
    public PathState Of(int group) => (PathState)Volatile.Read(ref states[group - 1]);

    /// <inheritdoc />
    public long ChangesOf(int group) => Volatile.Read(ref changes[group - 1]);

    /// <summary>Gives a group another state, and tells of it.</summary>
    public void Set(int group, PathState state)
    {
        lock (gate)
        {
            if (Of(group) == state) return;
            Volatile.Write(ref states[group - 1], (int)state);
            Volatile.Write(ref changes[group - 1], changes[group - 1] + 1);
        }
        Changed?.Invoke(this, EventArgs.Empty);
    }
}
