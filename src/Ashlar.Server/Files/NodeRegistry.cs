using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// What the server remembers of its storage nodes: a directory of records. A node belongs to the store if and only if its record is there,
/// whether its disk is or not.
/// </summary>
sealed class NodeRegistry(IFileSystem fileSystem, string path) : RecordDirectory<RememberedNode>(fileSystem, path)
{
    /// <summary>Whether no node was ever remembered here: the file store is being made.</summary>
    public bool IsUntouched => NextNumber() == 1;
}
