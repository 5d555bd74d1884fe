using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>The real disk: each call is one call of the C library, every error is raised, interrupted calls are repeated.</summary>
/// <remarks>
/// With its first use the process ignores SIGXFSZ, unless it has a handler for it: a write beyond RLIMIT_FSIZE is then an error of that
/// write (EFBIG) instead of the end of the process.
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed unsafe class PosixFileSystem : IFileSystem
{
    // Once in a process that uses a real disk at all.
    PosixFileSystem() => FileSizeSignal.IgnoreUnlessHandled();

    /// <summary>The one instance.</summary>
    public static PosixFileSystem Instance { get; } = new();

    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode)
    {
        RequireAbsolute(path);
        var flags = mode switch
        {
            FileOpenMode.Existing => Libc.OpenReadWrite,
            FileOpenMode.ReadOnly => Libc.OpenReadOnly,
            FileOpenMode.CreateNew => Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive,
            FileOpenMode.OpenOrCreate => Libc.OpenReadWrite | Libc.OpenCreate,
            _ => throw new ArgumentOutOfRangeException(nameof(mode)),
        };
        // Of a device that exists the kernel takes it for: nobody else, not even a file system that is mounted.
        if (mode == FileOpenMode.Existing && TryGetStatus(path, out var status) && status.IsBlockDevice) flags |= Libc.OpenExclusive;
        var file = new PosixFile(path, FileDescriptor.Open(path, flags));
        if (mode != FileOpenMode.ReadOnly || !file.Status().IsDirectory) return file;

        // Only for reading does the kernel open a directory like a file.
        file.Dispose();
        throw StorageException.FromErrno("open", path, Errno.IsDirectory);
    }

    /// <inheritdoc />
    public bool FileExists(string path) => TryGetStatus(path, out var status) && !status.IsDirectory;

    /// <inheritdoc />
    public bool DirectoryExists(string path) => TryGetStatus(path, out var status) && status.IsDirectory;

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory)
    {
        RequireAbsolute(directory);
        var names = new List<string>();
        var stream = Libc.OpenDirectoryStream(directory);
        if (stream == 0) throw StorageException.FromErrno("opendir", directory, PosixError.Last);
        try
        {
            byte* entry;
            while ((entry = Libc.ReadDirectoryStream(stream)) != null)
            {
                var name = Marshal.PtrToStringUTF8((nint)(entry + DirectoryEntry.NameOffset))!;
                if (name is not ("." or "..")) names.Add(name);
            }

            // The end and an error look alike; the marshaller cleared the error number before the call.
            if (PosixError.Last != 0) throw StorageException.FromErrno("readdir", directory, PosixError.Last);
        }
        finally
        {
            _ = Libc.CloseDirectoryStream(stream);
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <inheritdoc />
    public void CreateDirectory(string path)
    {
        RequireAbsolute(path);
        while (Libc.MakeDirectory(path, Libc.DirectoryMode) != 0) PosixError.ThrowUnlessInterrupted("mkdir", path);
    }

    /// <inheritdoc />
    public void DeleteDirectory(string path)
    {
        RequireAbsolute(path);
        while (Libc.RemoveDirectory(path) != 0) PosixError.ThrowUnlessInterrupted("rmdir", path);
    }

    /// <inheritdoc />
    public void Rename(string source, string target)
    {
        RequireAbsolute(source);
        RequireAbsolute(target);
        while (Libc.Rename(source, target) != 0)
        {
            var errno = PosixError.Last;
            if (errno != Errno.Interrupted) throw StorageException.FromErrno("rename", source, errno, $"to {target}");
        }
    }

    /// <inheritdoc />
    public void Delete(string path)
    {
        RequireAbsolute(path);
        while (Libc.Unlink(path) != 0) PosixError.ThrowUnlessInterrupted("unlink", path);
    }

    /// <inheritdoc />
    public void SyncDirectory(string path)
    {
        RequireAbsolute(path);
        using var directory = FileDescriptor.Open(path, Libc.OpenReadOnly | Libc.OpenDirectory);
        while (Libc.Sync(directory) != 0) PosixError.ThrowUnlessInterrupted("fsync", path);
    }

    /// <inheritdoc />
    public IFileLock Lock(string path)
    {
        RequireAbsolute(path);
        return LockFile.Take(path);
    }

    /// <inheritdoc />
    public IFileLock LockShared(string path)
    {
        RequireAbsolute(path);
        return ExistingFileLock.Take(path, isShared: true);
    }

    /// <inheritdoc />
    public IFileLock LockExisting(string path)
    {
        RequireAbsolute(path);
        return ExistingFileLock.Take(path, isShared: false);
    }

    /// <inheritdoc />
    public string ResolveLinks(string path)
    {
        RequireAbsolute(path);
        var resolved = stackalloc byte[Libc.PathLimit];
        while (Libc.RealPath(path, resolved) == null) PosixError.ThrowUnlessInterrupted("realpath", path);
        return Marshal.PtrToStringUTF8((nint)resolved)!;
    }

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path)
    {
        RequireAbsolute(path);
        VolumeStatus status;
        while (Libc.VolumeStatus(path, &status) != 0) PosixError.ThrowUnlessInterrupted("statvfs", path);
        // XFS says what is left of a number below zero where it has promised more than there is.
        return (long)status.AvailableFragments <= 0 ? 0 : checked((long)(status.AvailableFragments * status.FragmentBytes));
    }

    /// <inheritdoc />
    public string GetVolumeIdentity(string path) => TryGetStatus(path, out var status)
        ? $"{status.DeviceMajor}:{status.DeviceMinor}"
        : throw StorageException.FromErrno("statx", path, Errno.NoEntry);

    /// <inheritdoc />
    public string GetFileIdentity(string path) => TryGetStatus(path, out var status)
        ? status.Identity
        : throw StorageException.FromErrno("statx", path, Errno.NoEntry);

    internal static bool TryGetStatus(string path, out FileStatus status)
    {
        RequireAbsolute(path);
        FileStatus found = default;
        while (Libc.Status(FileStatus.CurrentDirectory, path, 0, FileStatus.TypeAndMode | FileStatus.Inode, &found) != 0)
        {
            if (PosixError.Last is Errno.NoEntry or Errno.NotDirectory)
            {
                status = default;
                return false;
            }

            PosixError.ThrowUnlessInterrupted("statx", path);
        }

        status = found;
        return true;
    }

    static void RequireAbsolute(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.StartsWith('/')) throw new ArgumentException($"The path is not absolute: '{path}'", nameof(path));
        if (path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("The path contains NUL.", nameof(path));
    }
}
