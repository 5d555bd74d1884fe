using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// Memory straight from the kernel, and back to it when it is freed: an allocator in between would keep what a burst of
/// large buffers once took. On other systems than Linux it comes from the C library, which takes large pieces from the kernel as well.
/// </summary>
public static unsafe partial class NativePages
{
    /// <summary>What a large page holds, on x86-64 and on ARM64 with pages of 4 KiB.</summary>
    public const int LargePageBytes = 2 << 20;

    const int ReadWrite = 3, PrivateAnonymous = 0x22; // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
    const int HugePage = 14; // MADV_HUGEPAGE

    static readonly bool IsMapped = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Zeroed memory, aligned to a page.</summary>
    /// <exception cref="StorageException">The kernel grants no more.</exception>
    public static byte* Allocate(nuint lengthBytes)
    {
        if (!IsMapped) return PortablePages.Allocate(lengthBytes, (nuint)Environment.SystemPageSize);
        var address = Map(null, lengthBytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (address == (void*)-1) throw StorageException.FromErrno("mmap", "memory", PosixError.Last, $"{lengthBytes} bytes");
        return (byte*)address;
    }

    /// <summary>
    /// The same, aligned to <see cref="LargePageBytes"/> and in large pages where the system lets programs ask for them: memory that is
    /// read at random then costs fewer walks through page tables.
    /// </summary>
    /// <param name="lengthBytes">A multiple of <see cref="LargePageBytes"/>.</param>
    /// <exception cref="StorageException">The kernel grants no more.</exception>
    public static byte* AllocateLarge(nuint lengthBytes)
    {
        Invariant.Require(lengthBytes % LargePageBytes == 0);
        if (!IsMapped) return PortablePages.Allocate(lengthBytes, LargePageBytes);
        var mapped = Allocate(lengthBytes + LargePageBytes);
        var before = (nuint)(-(nint)mapped & (LargePageBytes - 1));
        var pages = mapped + before;
        if (before > 0) _ = Unmap(mapped, before); // What stays is no memory, as nobody touches it.
        _ = Unmap(pages + lengthBytes, LargePageBytes - before);
        _ = Advise(pages, lengthBytes, HugePage); // A kernel without them refuses, and the pages are small ones.
        return pages;
    }

    /// <summary>Gives back all of what <see cref="Allocate"/> or <see cref="AllocateLarge"/> gave.</summary>
    public static void Free(byte* address, nuint lengthBytes) => Invariant.Require(TryFree(address, lengthBytes));

    /// <summary>
    /// The same; false where the kernel would have to split a mapping and has too many already (ENOMEM). Then everything stays mapped.
    /// </summary>
    public static bool TryFree(byte* address, nuint lengthBytes)
    {
        if (IsMapped) return Unmap(address, lengthBytes) == 0;
        PortablePages.Free(address);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
