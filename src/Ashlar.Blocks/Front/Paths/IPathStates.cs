namespace Ashlar.Blocks;

/// <summary>
/// The portals of a node, each a group of its own, and how volumes are reached through them. Whatever protocol tells of paths asks here,
/// so that all of them tell the same.
/// </summary>
public interface IPathStates
{
    /// <summary>The numbers of the groups, in the order of the portals; from 1 on, and perhaps with gaps.</summary>
    IReadOnlyList<int> Groups { get; }

    /// <summary>How volumes are reached through a group now.</summary>
    PathState Of(int group);

    /// <summary>How often that was changed.</summary>
    long ChangesOf(int group);

    /// <summary>The state of a group has changed: <see cref="Of"/> says the new one already. Any thread.</summary>
    event EventHandler? Changed;
}
