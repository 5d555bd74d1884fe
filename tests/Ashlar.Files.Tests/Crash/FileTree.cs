namespace Ashlar.Files.Tests;

/// <summary>What a customer's tree holds, by what was done to it: paths with the hashes of files, nothing for directories.</summary>
class FileTree : SortedDictionary<string, string>, IEquatable<FileTree>
{
    public FileTree()
        : base(StringComparer.Ordinal)
    {
    }

    public FileTree(FileTree other)
        : base(other, StringComparer.Ordinal)
    {
    }

    /// <summary>Reads all of it, contents too.</summary>
    public static async Task<FileTree> ReadAsync(FileRig rig)
    {
        var tree = new FileTree();
        foreach (var entry in (await rig.Store.ListAsync(rig.Customer, new() { IsRecursive = true, Limit = 10_000 })).Entries)
        {
            var path = entry.Path.ToString();
            tree[path] = entry.Kind == NamespaceEntryKind.File ? ContentHash.Of(await rig.GetAsync(path)).ToString() : "";
        }

        return tree;
    }

    public bool Equals(FileTree? other) => other is not null && this.SequenceEqual(other);

    public override bool Equals(object? obj) => Equals(obj as FileTree);

    public override int GetHashCode() => Count;

    public override string ToString() => string.Join(", ", this.Select(entry => $"{entry.Key} {entry.Value.PadRight(6)[..6]}"));
}
