namespace Ashlar.Simulation;

/// <summary>Everything a simulated disk holds at one moment: files and directories by node number, names in directories.</summary>
sealed class DiskImage
{
    public const int RootNode = 0;

    public Dictionary<int, FileNode> Files { get; } = [];

    public Dictionary<int, SortedDictionary<string, int>> Directories { get; } = new() { [RootNode] = NewDirectory() };

    public static SortedDictionary<string, int> NewDirectory() => new(StringComparer.Ordinal);

    /// <summary>A copy of what can be reached from the root. Content is shared until one side changes it.</summary>
    public DiskImage CloneReachable()
    {
        var clone = new DiskImage();
        CloneDirectory(RootNode, clone);
        return clone;
    }

    /// <summary>Hash of all names and content; how space is allocated does not count.</summary>
    public UInt128 Hash()
    {
        var hash = default(ContentHash);
        AddDirectory(RootNode, ref hash);
        return hash.Value;
    }

    /// <summary>The node a name stands for in a directory, or null.</summary>
    public int? Find(int directory, string name) =>
        Directories.TryGetValue(directory, out var names) && names.TryGetValue(name, out var node) ? node : null;

    public bool IsDirectory(int node) => Directories.ContainsKey(node);

    void CloneDirectory(int directory, DiskImage clone)
    {
        clone.Directories[directory] = new SortedDictionary<string, int>(Directories[directory], StringComparer.Ordinal);
        foreach (var node in Directories[directory].Values)
        {
            if (IsDirectory(node)) CloneDirectory(node, clone);
            else if (!clone.Files.ContainsKey(node)) clone.Files[node] = Files[node].Clone();
        }
    }

    void AddDirectory(int directory, ref ContentHash hash)
    {
        foreach (var (name, node) in Directories[directory])
        {
            hash.Add(name);
            if (IsDirectory(node)) AddDirectory(node, ref hash);
            else Files[node].AddTo(ref hash);
        }

        hash.Add(ulong.MaxValue, ulong.MaxValue); // The end of a directory, so that nesting cannot be confused.
    }
}
