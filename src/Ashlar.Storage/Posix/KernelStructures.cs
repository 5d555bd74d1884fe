using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>struct iovec: one buffer of a vector read.</summary>
[StructLayout(LayoutKind.Sequential)]
unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct statx (statx(2)): unlike struct stat the same on every processor.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
struct FileStatus
{
    public const int CurrentDirectory = -100; // AT_FDCWD
    public const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the descriptor itself.
    public const uint TypeAndMode = 0x3, Inode = 0x100, Size = 0x200, Blocks = 0x400;
    public const int BlockBytes = 512; // The unit of BlockCount, whatever the file system's own is.

    const int TypeMask = 0xF000, TypeDirectory = 0x4000, TypeBlockDevice = 0x6000, TypeSocket = 0xC000;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong InodeNumber;

    [FieldOffset(40)]
    public ulong LengthBytes;

    [FieldOffset(48)]
    public ulong BlockCount;

    [FieldOffset(128)]
    public uint NodeMajor;

    [FieldOffset(132)]
    public uint NodeMinor;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;

    /// <summary>Whether both are of one file, while that is open. Any number of nodes may lead to one block device.</summary>
    public readonly bool IsSameFile(FileStatus other) => IsBlockDevice || other.IsBlockDevice
        ? IsBlockDevice && other.IsBlockDevice && NodeMajor == other.NodeMajor && NodeMinor == other.NodeMinor
        : InodeNumber == other.InodeNumber && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;

    /// <summary>The same for all of which <see cref="IsSameFile"/> holds.</summary>
    public readonly string Identity =>
        IsBlockDevice ? $"device {NodeMajor}:{NodeMinor}" : $"file {DeviceMajor}:{DeviceMinor}:{InodeNumber}";

    public readonly bool IsDirectory => (Mode & TypeMask) == TypeDirectory;

    public readonly bool IsBlockDevice => (Mode & TypeMask) == TypeBlockDevice;

    public readonly bool IsSocket => (Mode & TypeMask) == TypeSocket;
}

/// <summary>struct statvfs (statvfs(3)), 64-bit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
struct VolumeStatus
{
    [FieldOffset(8)]
    public ulong FragmentBytes;

    [FieldOffset(32)]
    public ulong AvailableFragments;
}

/// <summary>struct dirent, 64-bit: only where the name starts.</summary>
static class DirectoryEntry
{
    public const int NameOffset = 19;
}
