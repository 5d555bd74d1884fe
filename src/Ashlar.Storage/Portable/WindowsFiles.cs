using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>
/// Windows: files are opened so that others may read, write, rename and delete them meanwhile, which is how the other systems have it.
/// </summary>
[SupportedOSPlatform("windows")]
sealed unsafe class WindowsFiles : INativeFiles
{
    // Locks of Windows keep others from the bytes that are locked: this one lies where no file reaches.
    const int LockOffsetHigh = 0x40000000;

    const string LongPrefix = @"\\?\", LongNetworkPrefix = @"\\?\UNC\";

    public SafeFileHandle Open(string path, FileOpenMode mode)
    {
        try
        {
            var (opening, access) = mode switch
            {
                FileOpenMode.Existing => (FileMode.Open, FileAccess.ReadWrite),
                FileOpenMode.ReadOnly => (FileMode.Open, FileAccess.Read),
                FileOpenMode.CreateNew => (FileMode.CreateNew, FileAccess.ReadWrite),
                _ => (FileMode.OpenOrCreate, FileAccess.ReadWrite),
            };
            return File.OpenHandle(path, opening, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (UnauthorizedAccessException) when (IsDirectory(path))
        {
            throw StorageException.FromErrno("open", path, Errno.IsDirectory);
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("open", path, failure);
        }
    }

    public void CreateDirectory(string path)
    {
        if (!WindowsCalls.CreateDirectory(Long(path), 0)) throw PortableError.OfWindows("mkdir", path);
    }

    public void DeleteDirectory(string path)
    {
        if (!WindowsCalls.RemoveDirectory(Long(path))) throw PortableError.OfWindows("rmdir", path);
    }

    // As POSIX has it, so that a target may be open; where Windows or the file system is too old for that, it may not.
    public void Rename(string source, string target)
    {
        if (TryRename(source, target)) return;
        if (Marshal.GetLastPInvokeError() is WindowsCalls.InvalidParameter or WindowsCalls.NotSupported or WindowsCalls.InvalidFunction
            && WindowsCalls.MoveFile(Long(source), Long(target), WindowsCalls.MoveReplaceExisting | WindowsCalls.MoveWriteThrough)) return;
        throw PortableError.OfWindows("rename", source, $"to {target}: ");
    }

    public void Delete(string path)
    {
        if (WindowsCalls.DeleteFile(Long(path))) return;
        var failure = PortableError.OfWindows("unlink", path);
        throw IsDirectory(path) ? StorageException.FromErrno("unlink", path, Errno.IsDirectory) : failure;
    }

    // Nothing to do: see PortableFileSystem.
    public void SyncDirectory(string path)
    {
        if (!TryGetFacts(path, out var facts)) throw StorageException.FromErrno("open", path, Errno.NoEntry);
        if (!facts.IsDirectory) throw StorageException.FromErrno("open", path, Errno.NotDirectory);
    }

    public void Sync(SafeFileHandle file, string path)
    {
        try
        {
            RandomAccess.FlushToDisk(file); // FlushFileBuffers; only of files that are open for reading does it hide that it cannot.
        }
        catch (Exception failure) when (PortableError.IsOfTheDisk(failure))
        {
            throw PortableError.Of("FlushFileBuffers", path, failure);
        }
    }

    public bool TryLock(SafeFileHandle file, string path, bool isShared)
    {
        var place = new NativeOverlapped { OffsetHigh = LockOffsetHigh };
        var flags = WindowsCalls.LockFailImmediately | (isShared ? 0 : WindowsCalls.LockExclusive);
        if (WindowsCalls.LockFileEx(file, flags, 0, 1, 0, &place)) return true;
        return Marshal.GetLastPInvokeError() == WindowsCalls.LockViolation ? false : throw PortableError.OfWindows("LockFileEx", path);
    }

    public void Unlock(SafeFileHandle file)
    {
        var place = new NativeOverlapped { OffsetHigh = LockOffsetHigh };
        _ = WindowsCalls.UnlockFileEx(file, 0, 1, 0, &place);
    }

    public bool TryGetFacts(string path, out FileFacts facts)
    {
        facts = default;
        using var file = OpenForFacts(path);
        if (file.IsInvalid)
        {
            if (Marshal.GetLastPInvokeError() is WindowsCalls.FileNotFound or WindowsCalls.PathNotFound) return false;
            throw PortableError.OfWindows("stat", path);
        }

        facts = GetFacts(file, path);
        return true;
    }

    public FileFacts GetFacts(SafeFileHandle file, string path)
    {
        WindowsCalls.FileInformation found;
        if (!WindowsCalls.GetFileInformationByHandle(file, &found)) throw PortableError.OfWindows("fstat", path);
        var isDirectory = (found.Attributes & WindowsCalls.DirectoryAttribute) != 0;
        WindowsCalls.FileSizes sizes = default;
        if (!isDirectory
            && !WindowsCalls.GetFileInformationByHandleEx(
                file, WindowsCalls.StandardInformation, &sizes, (uint)sizeof(WindowsCalls.FileSizes)))
            throw PortableError.OfWindows("fstat", path);
        return new(
            found.VolumeSerialNumber, ((ulong)found.IndexHigh << 32) | found.IndexLow,
            isDirectory ? FileKind.Directory : FileKind.Plain, sizes.AllocatedBytes);
    }

    public string ResolveLinks(string path)
    {
        using var file = OpenForFacts(path);
        if (file.IsInvalid) throw PortableError.OfWindows("realpath", path);
        var buffer = new char[short.MaxValue]; // The longest path that there is.
        uint length;
        fixed (char* start = buffer) length = WindowsCalls.GetFinalPathName(file, start, (uint)buffer.Length, 0);
        if (length == 0 || length > buffer.Length) throw PortableError.OfWindows("realpath", path);
        return Short(new string(buffer, 0, (int)length));
    }

    public long GetFreeSpaceBytes(string path)
    {
        var directory = IsDirectory(path) ? path : Path.GetDirectoryName(path) ?? path;
        return WindowsCalls.GetDiskFreeSpace(Long(directory), out var available, out _, out _)
            ? (long)Math.Min(available, long.MaxValue)
            : throw PortableError.OfWindows("statvfs", path);
    }

    /// <summary>The name by which Windows takes a path of any length as it is.</summary>
    public static string Long(string path)
    {
        path = Path.GetFullPath(path);
        return path.StartsWith(LongPrefix, StringComparison.Ordinal) || path.StartsWith(@"\\.\", StringComparison.Ordinal) ? path
            : path.StartsWith(@"\\", StringComparison.Ordinal) ? LongNetworkPrefix + path[2..]
            : LongPrefix + path;
    }

    static string Short(string path) =>
        path.StartsWith(LongNetworkPrefix, StringComparison.Ordinal) ? @"\\" + path[LongNetworkPrefix.Length..]
        : path.StartsWith(LongPrefix, StringComparison.Ordinal) ? path[LongPrefix.Length..]
        : path;

    bool IsDirectory(string path) => TryGetFacts(path, out var facts) && facts.IsDirectory;

    static SafeFileHandle OpenForFacts(string path) => WindowsCalls.CreateFile(
        Long(path), WindowsCalls.ReadAttributes, WindowsCalls.ShareAll, 0, WindowsCalls.OpenExisting, WindowsCalls.BackupSemantics, 0);

    // The last error is left for the caller.
    static bool TryRename(string source, string target)
    {
        var name = Long(target);
        using var file = WindowsCalls.CreateFile(
            Long(source), WindowsCalls.DeleteAccess, WindowsCalls.ShareAll, 0, WindowsCalls.OpenExisting, WindowsCalls.BackupSemantics, 0);
        if (file.IsInvalid) return false;
        WindowsCalls.RenameInformation head = default;
        var nameOffset = (int)((byte*)&head.Name - (byte*)&head);
        var buffer = new byte[nameOffset + ((name.Length + 1) * sizeof(char))]; // The name ends with NUL, which its length does not count.
        fixed (byte* start = buffer)
        {
            var information = (WindowsCalls.RenameInformation*)start;
            information->Flags = WindowsCalls.RenameInformation.ReplaceIfExists | WindowsCalls.RenameInformation.PosixSemantics;
            information->NameBytes = (uint)(name.Length * sizeof(char));
            name.CopyTo(new Span<char>(start + nameOffset, name.Length));
            return WindowsCalls.SetFileInformationByHandle(file, WindowsCalls.RenameInformationEx, start, (uint)buffer.Length);
        }
    }
}
