using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>Memory that every system has: aligned as asked for, and zeroed.</summary>
static unsafe class PortablePages
{
    const int OutOfMemory = 12; // ENOMEM

    /// <summary>Zeroed memory.</summary>
    /// <param name="lengthBytes">How much.</param>
    /// <param name="alignmentBytes">A power of 2.</param>
    /// <exception cref="StorageException">There is no more.</exception>
    public static byte* Allocate(nuint lengthBytes, nuint alignmentBytes)
    {
        try
        {
            var memory = NativeMemory.AlignedAlloc(lengthBytes, alignmentBytes);
            NativeMemory.Clear(memory, lengthBytes);
            return (byte*)memory;
        }
        catch (OutOfMemoryException)
        {
            throw new StorageException(
                "malloc", "memory", StorageErrorKind.InputOutput, OutOfMemory, $"{lengthBytes} bytes: Cannot allocate memory");
        }
    }

    /// <summary>Gives back all of it.</summary>
    public static void Free(byte* memory) => NativeMemory.AlignedFree(memory);
}
