using System.Text;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

// Paths, names, and the inodes that they lead to. All but splitting a path is done under `gate`.
public sealed partial class BlockFileSystem
{
    const int NameTooLong = 36; // ENAMETOOLONG

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    bool Exists(string path, bool isDirectory)
    {
        var names = SplitPath(path);
        lock (gate)
        {
            RequireOpen();
            return TryFind(names) is { } inode && inode.IsDirectory == isDirectory;
        }
    }

    Inode Create(string operation, string path, (Inode Directory, string Name, Inode? Inode) place, bool isDirectory)
    {
        RequireWritable(operation, path);
        const long inodeBytes = ChangeFormat.CreateBytes + ChangeFormat.FileBytes;
        RequireRoomForMetadata(operation, path, inodeBytes + ChangeFormat.NameBytes + ChangeFormat.MaxNameBytes);
        var inode = new Inode(nextNumber++, isDirectory);
        inodes.Add(inode.Number, inode);
        metadataBytes += inodeBytes;
        Name(inode, place.Directory, place.Name);
        return inode;
    }

    void Name(Inode inode, Inode directory, string name)
    {
        directory.Names!.Add(name, inode);
        (inode.Parent, inode.Name) = (directory, name);
        metadataBytes += ChangeFormat.NameBytes + StrictUtf8.GetByteCount(name);
        changedNames.Add((directory, name));
    }

    void Unname(Inode inode)
    {
        inode.Parent!.Names!.Remove(inode.Name);
        metadataBytes -= ChangeFormat.NameBytes + StrictUtf8.GetByteCount(inode.Name);
        changedNames.Add((inode.Parent, inode.Name));
        inode.Parent = null;
    }

    void LoseName(Inode inode)
    {
        Unname(inode);
        DieIfUnreachable(inode);
    }

    void Close(Inode inode)
    {
        inode.OpenHandles--;
        DieIfUnreachable(inode);
    }

    void DieIfUnreachable(Inode inode)
    {
        if (inode.Parent is not null || inode.OpenHandles > 0 || inode == root || !inodes.Remove(inode.Number)) return;
        foreach (var page in inode.Pages.Values.ToArray()) cache.Drop(page);
        inode.MapVersion++;
        pendingUnits += inode.Extents.Units;
        dead.Add(inode);
    }

    Inode? TryFind(string[] names)
    {
        var inode = root;
        foreach (var name in names)
        {
            if (inode.Names is null || !inode.Names.TryGetValue(name, out var next)) return null;
            inode = next;
        }

        return inode;
    }

    /// <summary>The directory and name that a path stands for, and its inode if there is one.</summary>
    (Inode Directory, string Name, Inode? Inode) Locate(string operation, string path, string[] names)
    {
        if (names.Length == 0) return (root, "", root);
        var directory = root;
        foreach (var name in names.AsSpan(0, names.Length - 1))
        {
            if (!directory.Names!.TryGetValue(name, out var next)) throw StorageException.FromErrno(operation, path, Errno.NoEntry);
            if (!next.IsDirectory) throw StorageException.FromErrno(operation, path, Errno.NotDirectory);
            directory = next;
        }

        return (directory, names[^1], directory.Names!.GetValueOrDefault(names[^1]));
    }

    Inode LocateDirectory(string operation, string path, string[] names)
    {
        RequireOpen();
        var inode = Locate(operation, path, names).Inode ?? throw StorageException.FromErrno(operation, path, Errno.NoEntry);
        return inode.IsDirectory ? inode : throw StorageException.FromErrno(operation, path, Errno.NotDirectory);
    }

    static string[] SplitPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.StartsWith('/')) throw new ArgumentException($"The path is not absolute: '{path}'", nameof(path));
        if (path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("The path contains NUL.", nameof(path));
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in names)
        {
            if (name is "." or "..") throw new ArgumentException($"There are no '.' and '..' here: '{path}'", nameof(path));
            if (StrictUtf8.GetByteCount(name) > ChangeFormat.MaxNameBytes)
                throw StorageException.FromErrno("open", path, NameTooLong, $"names have up to {ChangeFormat.MaxNameBytes} bytes");
        }

        return names;
    }
}
