namespace Ashlar.Simulation;

/// <summary>
/// Which operations on which kinds of file were met, and which of them were made to fail. A fault path that no run takes proves nothing, so
/// tests require it of each. Any thread.
/// </summary>
/// <param name="kindOf">The kind of file that a path is.</param>
public sealed class FaultProbes(Func<string, string> kindOf)
{
    readonly Lock gate = new();
    readonly SortedSet<string> met = new(StringComparer.Ordinal);
    readonly SortedSet<string> failed = new(StringComparer.Ordinal);

    /// <summary>"Rename of MANIFEST": what was called at all.</summary>
    public IReadOnlyList<string> Met
    {
        get
        {
            lock (gate) return [.. met];
        }
    }

    /// <summary>"Rename of MANIFEST: NoSpace": what failed, and how.</summary>
    public IReadOnlyList<string> Failed
    {
        get
        {
            lock (gate) return [.. failed];
        }
    }

    /// <summary>What was called and never failed, in whatever way.</summary>
    public IReadOnlyList<string> NeverFailed
    {
        get
        {
            lock (gate) return [.. met.Where(probe => !failed.Any(one => one.StartsWith($"{probe}: ", StringComparison.Ordinal)))];
        }
    }

    internal void Note(FaultOperations operation, string path, FaultKind? fault)
    {
        var probe = $"{operation} of {kindOf(path)}";
        lock (gate)
        {
            met.Add(probe);
            if (fault is { } kind) failed.Add($"{probe}: {kind}");
        }
    }
}
