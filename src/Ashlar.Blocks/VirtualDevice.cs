using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Virtual devices to use at once, each behind a driver. Disposing the driver flushes and closes the device.
/// </summary>
/// <example>
/// <code>
/// await using var disk = VirtualDevice.OpenFile("disk.ashlar"); // 2,048 blocks of 4,096 bytes, created if missing.
/// await disk.WriteAsync(5000, "hello"u8.ToArray());              // Any byte range: here 904 bytes into block 1.
/// await disk.FlushAsync();                                       // Durable from here on.
/// var text = new byte[5];
/// await disk.ReadAsync(5000, text);
/// await disk.TrimAsync(4096, 4096);                              // Block 1 reads as zeros again.
/// </code>
/// </example>
public static class VirtualDevice
{
    /// <summary>A device in memory whose blocks are all free; by default 2,048 blocks of 4,096 bytes.</summary>
    /// <param name="sizeBytes">Its size, a multiple of the block size.</param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <exception cref="ArgumentException">The size is not a whole number of blocks.</exception>
    public static BlockDriver InMemory(
        long sizeBytes = MemoryDevice.DefaultBlockCount * MemoryDevice.DefaultBlockSizeBytes,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes) =>
        new(new MemoryDevice(BlockCount(sizeBytes, blockSizeBytes), blockSizeBytes));

    /// <summary>
    /// Opens the device in a file; a missing file is created, with 2,048 free blocks of 4,096 bytes.
    /// </summary>
    /// <exception cref="StorageException">The file cannot be opened or created.</exception>
    /// <exception cref="LockedException">The device is in use.</exception>
    /// <exception cref="UnsupportedFormatException">The file is no device.</exception>
    /// <exception cref="CorruptDataException">The file is damaged; the error says where.</exception>
    public static BlockDriver OpenFile(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        return new BlockDriver(FileSystems.Real.FileExists(path)
            ? DeviceFile.Open(FileSystems.Real, path)
            : DeviceFile.Create(FileSystems.Real, path, SystemEntropy.Instance));
    }

    /// <summary>Creates a device in a file, which must not exist, and opens it. Its blocks are all free.</summary>
    /// <param name="path">The file. Its space is taken as blocks are first written.</param>
    /// <param name="sizeBytes">The size of the device, a multiple of the block size.</param>
    /// <param name="blockSizeBytes">512 or 4096.</param>
    /// <exception cref="ArgumentException">The size is not a whole number of blocks.</exception>
    /// <exception cref="StorageException">The file exists, or cannot be created.</exception>
    public static BlockDriver CreateFile(
        string path,
        long sizeBytes,
        int blockSizeBytes = MemoryDevice.DefaultBlockSizeBytes) =>
        new(DeviceFile.Create(
            FileSystems.Real,
            System.IO.Path.GetFullPath(path),
            SystemEntropy.Instance,
            BlockCount(sizeBytes, blockSizeBytes),
            blockSizeBytes));

    static long BlockCount(long sizeBytes, int blockSizeBytes)
    {
        if (blockSizeBytes is not (512 or 4096))
            throw new ArgumentOutOfRangeException(nameof(blockSizeBytes), blockSizeBytes, "Neither 512 nor 4096.");
        var (blockCount, rest) = Math.DivRem(sizeBytes, blockSizeBytes);
        return rest == 0
            ? blockCount
            : throw new ArgumentException(
                $"{sizeBytes} bytes are not a whole number of {blockSizeBytes}-byte blocks.", nameof(sizeBytes));
    }
}
