namespace Ashlar.Blocks;

/// <summary>States that somebody sets; until then every path is the best.</summary>
/// <remarks>
/// Invariant: a state holds for commands before anybody is told of it, so that who asks because he was told never hears the old one.
/// </remarks>
public sealed class PathStates : IPathStates
{
    readonly Lock gate = new();
    readonly int[] groups;
    readonly int[] states; // Of PathState.
    readonly long[] changes;

    /// <summary>Creates those of groups that are numbered from 1.</summary>
    /// <param name="count">How many groups there are; one at least.</param>
    public PathStates(int count) : this([.. Enumerable.Range(1, count)])
    {
    }

    /// <summary>Creates them.</summary>
    /// <param name="groups">The numbers of the groups, each once; one at least.</param>
    public PathStates(IReadOnlyList<int> groups)
    {
        ArgumentOutOfRangeException.ThrowIfZero(groups.Count, nameof(groups));
        this.groups = [.. groups];
        states = new int[groups.Count];
        changes = new long[groups.Count];
    }

    /// <inheritdoc />
    public event EventHandler? Changed;

    /// <inheritdoc />
    public IReadOnlyList<int> Groups => groups;

    /// <inheritdoc />
    public PathState Of(int group) => (PathState)Volatile.Read(ref states[IndexOf(group)]);

    /// <inheritdoc />
    public long ChangesOf(int group) => Volatile.Read(ref changes[IndexOf(group)]);

    /// <summary>Gives a group another state, and tells of it.</summary>
    public void Set(int group, PathState state)
    {
        lock (gate)
        {
            if (Of(group) == state) return;
            Volatile.Write(ref states[IndexOf(group)], (int)state);
            Volatile.Write(ref changes[IndexOf(group)], changes[IndexOf(group)] + 1);
        }
        Changed?.Invoke(this, EventArgs.Empty);
    }

    int IndexOf(int group)
    {
        var index = Array.IndexOf(groups, group);
        return index >= 0 ? index : throw new ArgumentOutOfRangeException(nameof(group), group, "There is no such group.");
    }
}
