using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// Memory straight from the kernel, and back to it when it is freed: an allocator in between would keep what a burst of
/// large buffers once took.
/// </summary>
public static unsafe partial class NativePages
{
    const int ReadWrite = 3, PrivateAnonymous = 0x22; // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS

    /// <summary>Maps zeroed memory, aligned to a page.</summary>
    /// <exception cref="StorageException">The kernel grants no more.</exception>
    public static byte* Allocate(nuint lengthBytes)
    {
        var address = Map(null, lengthBytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (address == (void*)-1) throw StorageException.FromErrno("mmap", "memory", PosixError.Last, $"{lengthBytes} bytes");
        return (byte*)address;
    }

    /// <summary>Unmaps what <see cref="Allocate"/> mapped.</summary>
    public static void Free(byte* address, nuint lengthBytes) => Invariant.Require(Unmap(address, lengthBytes) == 0);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
