using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>The calls of Windows that <see cref="WindowsFiles"/> is made of, beside those of .NET.</summary>
[SupportedOSPlatform("windows")]
static unsafe partial class WindowsCalls
{
    public const int FileNotFound = 2, PathNotFound = 3, LockViolation = 33, InvalidFunction = 1, NotSupported = 50, InvalidParameter = 87;

    public const uint ReadAttributes = 0x80, DeleteAccess = 0x10000; // FILE_READ_ATTRIBUTES, DELETE
    public const uint ShareAll = 7, OpenExisting = 3;
    public const uint BackupSemantics = 0x02000000; // FILE_FLAG_BACKUP_SEMANTICS: directories, too.
    public const uint DirectoryAttribute = 0x10;
    public const int StandardInformation = 1, RenameInformationEx = 22; // FileStandardInfo, FileRenameInfoEx
    public const uint LockFailImmediately = 1, LockExclusive = 2;
    public const uint MoveReplaceExisting = 1, MoveWriteThrough = 8;

    const string Library = "kernel32";

    [LibraryImport(Library, EntryPoint = "CreateFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    public static partial SafeFileHandle CreateFile(
        string path, uint access, uint share, nint security, uint disposition, uint flags, nint template);

    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetFileInformationByHandle(SafeFileHandle file, FileInformation* information);

    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetFileInformationByHandleEx(SafeFileHandle file, int kind, void* information, uint length);

    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool SetFileInformationByHandle(SafeFileHandle file, int kind, void* information, uint length);

    [LibraryImport(Library, EntryPoint = "GetFinalPathNameByHandleW", SetLastError = true)]
    public static partial uint GetFinalPathName(SafeFileHandle file, char* path, uint characters, uint flags);

    [LibraryImport(Library, EntryPoint = "MoveFileExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool MoveFile(string source, string target, uint flags);

    [LibraryImport(Library, EntryPoint = "DeleteFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool DeleteFile(string path);

    [LibraryImport(Library, EntryPoint = "CreateDirectoryW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CreateDirectory(string path, nint security);

    [LibraryImport(Library, EntryPoint = "RemoveDirectoryW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool RemoveDirectory(string path);

    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool LockFileEx(
        SafeFileHandle file, uint flags, uint reserved, uint lowLength, uint highLength, NativeOverlapped* place);

    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool UnlockFileEx(SafeFileHandle file, uint reserved, uint lowLength, uint highLength, NativeOverlapped* place);

    [LibraryImport(Library, EntryPoint = "GetDiskFreeSpaceExW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetDiskFreeSpace(string directory, out ulong available, out ulong total, out ulong free);

    /// <summary>BY_HANDLE_FILE_INFORMATION.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 52)]
    public struct FileInformation
    {
        [FieldOffset(0)]
        public uint Attributes;

        [FieldOffset(28)]
        public uint VolumeSerialNumber;

        [FieldOffset(44)]
        public uint IndexHigh;

        [FieldOffset(48)]
        public uint IndexLow;
    }

    /// <summary>FILE_STANDARD_INFO.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 24)]
    public struct FileSizes
    {
        [FieldOffset(0)]
        public long AllocatedBytes;
    }

    /// <summary>FILE_RENAME_INFO without the name, which follows <see cref="NameBytes"/> at once.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RenameInformation
    {
        public const uint ReplaceIfExists = 1, PosixSemantics = 2;

        public uint Flags;
        public nint RootDirectory;
        public uint NameBytes;
        public ushort Name;
    }
}
