namespace Ashlar.Interop.Tests.Crashes;

/// <summary>
/// What one block may hold. A version is what one write or trim made of the block, numbered by a single owner, so version
/// order is time order; version 0 is the block nobody wrote.
/// Invariant: floor &lt;= completed &lt;= issued, and the durable content is one of the versions from floor to issued.
/// </summary>
sealed class BlockHistory
{
    readonly List<Version> versions = [new(0, IsZeros: true)]; // From the floor to the last issued, without the ruled out.
    long nextVersion = 1;

    /// <summary>Number and content of one version.</summary>
    public readonly record struct Version(long Number, bool IsZeros);

    /// <summary>The oldest version a flush has made durable: nothing older may ever be read again.</summary>
    public Version Floor => versions[0];

    /// <summary>The last version the server answered for; a reader sees it as long as nothing is in flight.</summary>
    public Version Completed { get; private set; } = new(0, IsZeros: true);

    public IReadOnlyList<Version> Possible => versions;

    public long Issue(bool zeros)
    {
        versions.Add(new(nextVersion, zeros));
        return nextVersion++;
    }

    public void Complete(long version) => Completed = versions.Single(candidate => candidate.Number == version);

    /// <summary>Everything before <paramref name="version"/> is history, unless a later flush has said so already.</summary>
    public void RaiseFloor(long version)
    {
        var index = versions.FindIndex(candidate => candidate.Number == version);
        if (index > 0) versions.RemoveRange(0, index);
    }

    /// <summary>
    /// After a crash <paramref name="found"/> was read: versions after it are lost for ever and must not come back.
    /// Older ones, down to the floor, may: nothing says yet that what was read is durable.
    /// </summary>
    public void SettleAfterCrash(Version found)
    {
        versions.RemoveRange(versions.IndexOf(found) + 1, versions.Count - versions.IndexOf(found) - 1);
        Completed = found;
    }
}
