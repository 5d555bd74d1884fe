namespace Ashlar.Simulation;

/// <summary>
/// Which pages of a simulated disk are in memory. It changes what waits and never what is read. All pages are in memory until
/// <see cref="Drop"/>; from then on those that were read, written or asked for.
/// </summary>
public sealed class SimulatedPageCache
{
    readonly Lock gate;
    readonly HashSet<(int Node, long Page)> present = [];
    readonly List<PrefetchHint> hints = [];
    bool hasAll = true;
    int waits;

    internal SimulatedPageCache(Lock gate) => this.gate = gate;

    /// <summary>Reads that had to wait for the medium since the cache was dropped.</summary>
    public int Waits
    {
        get
        {
            lock (gate) return waits;
        }
    }

    /// <summary>What was asked for ahead of need since the cache was dropped.</summary>
    public IReadOnlyList<PrefetchHint> Hints
    {
        get
        {
            lock (gate) return [.. hints];
        }
    }

    /// <summary>Nothing is in memory any more, and the counts begin anew.</summary>
    public void Drop()
    {
        lock (gate)
        {
            hasAll = false;
            present.Clear();
            hints.Clear();
            waits = 0;
        }
    }

    internal bool Holds(int node, long offset, long length)
    {
        if (hasAll) return true;
        for (var page = offset / Page.SizeBytes; page * Page.SizeBytes < offset + length; page++)
        {
            if (!present.Contains((node, page))) return false;
        }

        return true;
    }

    internal void Read(int node, long offset, long length)
    {
        if (Holds(node, offset, length)) return;
        waits++;
        Add(node, offset, length);
    }

    internal void Prefetch(int node, in PrefetchHint hint, long fileBytes)
    {
        if (hasAll) return;
        hints.Add(hint);
        Add(node, hint.OffsetBytes, Math.Min(hint.LengthBytes, fileBytes - hint.OffsetBytes));
    }

    internal void Add(int node, long offset, long length)
    {
        if (hasAll) return;
        for (var page = offset / Page.SizeBytes; page * Page.SizeBytes < offset + length; page++) present.Add((node, page));
    }
}
