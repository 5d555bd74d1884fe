namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// Which put of each key counts. A put of the same value makes another version, a merge or a repair does not: what a condition on a key
/// must tell apart.
/// </summary>
sealed class KeyVersions
{
    readonly Dictionary<string, int> versions = [];
    readonly Dictionary<string, (ulong Sequence, int Version)> believed = [];
    int last;

    /// <summary>Tells the version of a key; 0: it is absent.</summary>
    public int Of(string key) => versions.GetValueOrDefault(key);

    public void Apply(IEnumerable<ScenarioChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Remains is null) versions.Remove(change.ModelKey);
            else versions[change.ModelKey] = ++last;
        }
    }

    /// <summary>Another store is the store: nothing that was read before says anything of it.</summary>
    public void Begin(IEnumerable<string> keys)
    {
        versions.Clear();
        believed.Clear();
        foreach (var key in keys) versions[key] = ++last;
    }

    /// <summary>A key was read now: what was read stays known, while others may write it.</summary>
    public void Believe(string key, ulong sequence) => believed[key] = (sequence, Of(key));

    /// <summary>What was read of a key, and whether that is still so.</summary>
    public bool TryRecall(string key, out ulong sequence, out bool isTrue)
    {
        var isKnown = believed.TryGetValue(key, out var one);
        (sequence, isTrue) = (one.Sequence, isKnown && one.Version == Of(key));
        return isKnown;
    }
}
