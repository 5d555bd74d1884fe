using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// The calls of the C library that the real file system is made of: 64-bit Linux, glibc or musl. .NET's own file calls swallow
/// some failures of fsync and flock and cannot open a directory, so they are not used.
/// </summary>
/// <remarks>None suppresses the transition of the garbage collector: each may wait for the disk.</remarks>
static unsafe partial class Libc
{
    public const int OpenReadOnly = 0, OpenReadWrite = 2, OpenCreate = 0x40, OpenExclusive = 0x80, OpenCloseOnExec = 0x80000;

    public const uint FileMode = 0x180; // 0600: stores hold what their owner alone should read.
    public const uint DirectoryMode = 0x1C0; // 0700

    public const int AllocateKeepSize = 1, AllocatePunchHole = 2, AllocateZeroRange = 16;
    public const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4, LockRelease = 8;
    public const int SeekEnd = 2;
    public const int ReadNoWait = 8;
    public const uint SyncRangeWrite = 2;
    public const int AdviceWillNeed = 3, AdviceDontNeed = 4;

    public const int PathLimit = 4096;

    const string Library = "libc";

    /// <summary>O_NONBLOCK, O_PATH.</summary>
    public const int OpenNonBlocking = 0x800, OpenPathOnly = 0x200000;

    /// <summary>O_NOFOLLOW, which depends on the processor.</summary>
    public static int OpenNoFollow { get; } =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>O_DIRECTORY: one of the few flags whose value depends on the processor.</summary>
    public static int OpenDirectory { get; } =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : 0x10000;

    // open is variadic in C; on Linux the processors supported pass its third argument like a declared one.
    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(FileDescriptor file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "preadv2", SetLastError = true)]
    public static partial nint ReadVector(FileDescriptor file, IoVector* vectors, int count, long offset, int flags);

    // Gives the error number itself.
    [LibraryImport(Library, EntryPoint = "posix_fadvise")]
    public static partial int Advise(FileDescriptor file, long offset, long length, int advice);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(FileDescriptor file, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(FileDescriptor file);

    [LibraryImport(Library, EntryPoint = "sync_file_range", SetLastError = true)]
    public static partial int SyncRange(FileDescriptor file, long offset, long count, uint flags);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(FileDescriptor file);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(FileDescriptor file, long length);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(FileDescriptor file, int mode, long offset, long length);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(FileDescriptor file, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(FileDescriptor file, int operation);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Status(int directory, string path, int flags, uint mask, FileStatus* status);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Status(FileDescriptor file, string path, int flags, uint mask, FileStatus* status);

    [LibraryImport(Library, EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int VolumeStatus(string path, VolumeStatus* status);

    [LibraryImport(Library, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string source, string target);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Library, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    /// <summary>Writes at most <see cref="PathLimit"/> bytes.</summary>
    [LibraryImport(Library, EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* RealPath(string path, byte* resolved);

    [LibraryImport(Library, EntryPoint = "opendir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OpenDirectoryStream(string path);

    [LibraryImport(Library, EntryPoint = "readdir", SetLastError = true)]
    public static partial byte* ReadDirectoryStream(nint stream);

    /// <summary>Reads what a signal does, where <paramref name="action"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "sigaction", SetLastError = true)]
    public static partial int SignalAction(int signal, void* action, void* present);

    [LibraryImport(Library, EntryPoint = "signal", SetLastError = true)]
    public static partial nint Signal(int signal, nint handler);

    [LibraryImport(Library, EntryPoint = "closedir", SetLastError = true)]
    public static partial int CloseDirectoryStream(nint stream);
}
