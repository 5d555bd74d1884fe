using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>The directory of a store: names of its files, and the disk they are on.</summary>
class StoreFiles(IFileSystem fileSystem, string directory, int maxOpenFiles = KeyValueOptions.DefaultMaxOpenFiles)
{
    public const string ManifestName = "MANIFEST";

    /// <summary>In a directory of several stores that are one together (Ashlar.KeyValue.Sharding), and which is none itself.</summary>
    public const string ShardsName = "SHARDS";

    const string LogPrefix = "log-";
    const string TablePrefix = "table-";

    public IFileSystem FileSystem { get; } = fileSystem;

    public string Directory { get; } = directory;

    /// <summary>Files that are read long after they were written: tables, and segments that values lie in.</summary>
    public OpenFiles Readers { get; } = new(fileSystem, maxOpenFiles);

    /// <summary>Files that readers keep from going.</summary>
    public KeptFiles Kept { get; } = new();

    /// <summary>Random identity of the store, in every file: a file of another store is noticed.</summary>
    public Guid StoreId { get; set; }

    public string LockPath => LockPathOf(Directory);

    public string ManifestPath => PathOf(ManifestName);

    public string NewManifestPath => $"{ManifestPath}.new";

    /// <summary>Space kept for a full disk.</summary>
    public string ReservePath => PathOf("RESERVE");

    public string LogPath(ulong id) => PathOf(LogName(id));

    public string TablePath(ulong id) => PathOf(TableName(id));

    public static string LockPathOf(string directory) => $"{directory}/LOCK";

    public static string ManifestPathOf(string directory) => $"{directory}/{ManifestName}";

    public static string LogName(ulong id) => $"{LogPrefix}{id:d6}";

    public static string TableName(ulong id) => $"{TablePrefix}{id:d6}";

    public static bool IsLogName(string name, out ulong id) => TryParse(name, LogPrefix, out id);

    public static bool IsTableName(string name, out ulong id) => TryParse(name, TablePrefix, out id);

    /// <summary>Makes sure, for a store that is open, that its path still leads to it.</summary>
    /// <exception cref="StoreDisplacedException">It does not.</exception>
    public void RequireInPlace() => (FileSystem as HeldDirectory)?.RequireInPlace();

    public void SyncDirectory() => FileSystem.SyncDirectory(Directory);

    /// <summary>Deletes a file that nothing refers to. If that fails, the next open deletes it.</summary>
    public void TryDelete(string path) => FileSystem.TryDelete(path);

    /// <summary>Where a file lies: in a backup it has another name.</summary>
    protected virtual string PathOf(string name) => $"{Directory}/{name}";

    static bool TryParse(string name, string prefix, out ulong id)
    {
        id = 0;
        return name.StartsWith(prefix, StringComparison.Ordinal)
            && name.Length >= prefix.Length + 6
            && ulong.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
