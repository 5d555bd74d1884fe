using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>stat of a path and of an open file: statx on Linux, whose structure is the same on every processor, stat on macOS.</summary>
static unsafe partial class UnixStatus
{
    const int TypeMask = 0xF000, TypeDirectory = 0x4000, TypeBlockDevice = 0x6000;
    const uint Wanted = FileStatus.TypeAndMode | FileStatus.Inode | FileStatus.Blocks;
    const string Library = "libc";

    static readonly bool HasInode64Names = OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>What a path leads to.</summary>
    /// <returns>0, or -1 with an error number.</returns>
    public static int Get(string path, out FileFacts facts)
    {
        if (OperatingSystem.IsMacOS())
        {
            AppleStatus apple = default;
            var outcome = HasInode64Names ? AppleStatX64(path, &apple) : AppleStat(path, &apple);
            facts = apple.Facts;
            return outcome;
        }

        FileStatus status = default;
        var result = LinuxStatus(FileStatus.CurrentDirectory, path, 0, Wanted, &status);
        facts = FactsOf(status);
        return result;
    }

    /// <summary>What an open file is.</summary>
    /// <returns>0, or -1 with an error number.</returns>
    public static int Get(SafeFileHandle file, out FileFacts facts)
    {
        if (OperatingSystem.IsMacOS())
        {
            AppleStatus apple = default;
            var outcome = HasInode64Names ? AppleStatX64(file, &apple) : AppleStat(file, &apple);
            facts = apple.Facts;
            return outcome;
        }

        FileStatus status = default;
        var result = LinuxStatus(file, "", FileStatus.EmptyPath, Wanted, &status);
        facts = FactsOf(status);
        return result;
    }

    static FileFacts FactsOf(FileStatus status) => new(
        ((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.InodeNumber, KindOf(status.Mode),
        checked((long)status.BlockCount * FileStatus.BlockBytes));

    static FileKind KindOf(int mode) => (mode & TypeMask) switch
    {
        TypeDirectory => FileKind.Directory,
        TypeBlockDevice => FileKind.BlockDevice,
        _ => FileKind.Plain,
    };

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinuxStatus(int directory, string path, int flags, uint mask, FileStatus* status);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinuxStatus(SafeFileHandle file, string path, int flags, uint mask, FileStatus* status);

    [LibraryImport(Library, EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AppleStat(string path, AppleStatus* status);

    [LibraryImport(Library, EntryPoint = "fstat", SetLastError = true)]
    private static partial int AppleStat(SafeFileHandle file, AppleStatus* status);

    // The plain names are those of an older structure there.
    [LibraryImport(Library, EntryPoint = "stat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AppleStatX64(string path, AppleStatus* status);

    [LibraryImport(Library, EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int AppleStatX64(SafeFileHandle file, AppleStatus* status);

    /// <summary>struct stat of macOS with inode numbers of 64 bits; it has 144 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct AppleStatus
    {
        const int BlockBytes = 512; // S_BLKSIZE

        [FieldOffset(0)]
        public int Device;

        [FieldOffset(4)]
        public ushort Mode;

        [FieldOffset(8)]
        public ulong InodeNumber;

        [FieldOffset(104)]
        public long BlockCount;

        public readonly FileFacts Facts => new((uint)Device, InodeNumber, KindOf(Mode), checked(BlockCount * BlockBytes));
    }
}
