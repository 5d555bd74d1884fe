using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>A device of a pool that is open, and what keeps others away from it.</summary>
/// <param name="Device">It.</param>
/// <param name="Hold">The lock on a file; null where the kernel keeps others away: a block device.</param>
sealed record PoolDevice(FileDevice Device, IDisposable? Hold) : IAsyncDisposable
{
    /// <summary>Whether the file was made by whoever opened it, so that it may be deleted if it is not taken.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Whether it was a device of the pool before, so that it keeps what is on it if it is not taken.</summary>
    public bool IsReturning { get; init; }

    /// <summary>
    /// Opens a file or a block device. A file is held by a lock on itself, whatever it is called; a block device by the kernel, which
    /// refuses one that is mounted.
    /// </summary>
    /// <exception cref="StorageException">It is missing, or cannot be opened, or is in use.</exception>
    /// <exception cref="LockedException">Another server, or another pool of this one, has it.</exception>
    /// <exception cref="UnsupportedFormatException">A file whose length is not a whole number of blocks.</exception>
    public static PoolDevice Open(IFileSystem files, string path)
    {
        bool isBlockDevice;
        using (var file = files.Open(path, FileOpenMode.ReadOnly)) isBlockDevice = file.IsBlockDevice;
        return Open(isBlockDevice ? null : files.LockExisting(path), () => FileDevice.Open(files, path, PoolFiles.BlockSizeBytes));
    }

    /// <summary>Opens a file in the data directory, whose lock the server holds.</summary>
    public static PoolDevice OpenWithin(IFileSystem files, string path) =>
        new(FileDevice.Open(files, path, PoolFiles.BlockSizeBytes), null);

    /// <summary>Creates a file that takes space as it is written, and opens it.</summary>
    /// <exception cref="StorageException">It is there already, or cannot be created.</exception>
    public static async ValueTask<PoolDevice> CreateAsync(IFileSystem files, string path, long lengthBytes)
    {
        var created = FileDevice.Create(files, path, lengthBytes, PoolFiles.BlockSizeBytes);
        try
        {
            return new(created, files.LockExisting(path));
        }
        catch
        {
            await created.DisposeAsync();
            files.Delete(path);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Device.DisposeAsync();
        }
        finally
        {
            Hold?.Dispose();
        }
    }

    static PoolDevice Open(IDisposable? hold, Func<FileDevice> open)
    {
        try
        {
            return new(open(), hold);
        }
        catch
        {
            hold?.Dispose();
            throw;
        }
    }
}
