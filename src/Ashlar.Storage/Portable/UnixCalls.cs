using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>
/// The calls of POSIX that <see cref="UnixFiles"/> is made of: Linux on any processor, glibc or musl, and macOS. Only their flags and the
/// structure of stat differ.
/// </summary>
static unsafe partial class UnixCalls
{
    public const uint FileMode = 0x180, DirectoryMode = 0x1C0; // 0600, 0700: stores hold what their owner alone should read.
    public const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4, LockRelease = 8;
    public const int PathLimit = 4096;

    const int ReadWrite = 2; // O_RDWR, everywhere.
    const string Library = "libc";

    static readonly bool IsApple = OperatingSystem.IsMacOS();
    static readonly int CloseOnExec = IsApple ? 0x1000000 : 0x80000;
    static readonly int Create = IsApple ? 0x200 : 0x40;
    static readonly int Exclusive = IsApple ? 0x800 : 0x80;
    static readonly int DirectoryOnly = IsApple ? 0x100000 : Libc.OpenDirectory;

    /// <summary>Opens a file that exists.</summary>
    public static int OpenExisting(string path, bool isReadOnly) => Open(path, (isReadOnly ? 0 : ReadWrite) | CloseOnExec);

    /// <summary>Opens a directory.</summary>
    public static int OpenDirectory(string path) => Open(path, DirectoryOnly | CloseOnExec);

    /// <summary>Opens a file, and creates it where it is missing, or only if it is.</summary>
    public static int OpenOrCreate(string path, bool mustBeNew)
    {
        var flags = ReadWrite | CloseOnExec | Create | (mustBeNew ? Exclusive : 0);
        // open takes the mode as one of any number of arguments. On ARM64 macOS passes those on the stack: behind all the registers.
        return IsApple && RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? OpenByStack(path, flags, 0, 0, 0, 0, 0, 0, (nint)FileMode)
            : Open(path, flags, FileMode);
    }

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenByStack(string path, nint flags, nint x2, nint x3, nint x4, nint x5, nint x6, nint x7, nint mode);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, int command);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

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
}
