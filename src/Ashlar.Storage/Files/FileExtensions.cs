namespace Ashlar.Storage;

/// <summary>What takes several calls of a file.</summary>
public static class FileExtensions
{
    /// <summary>The process that a lock file names: it has the lock, unless it has ended. Takes no lock.</summary>
    /// <param name="lockFile">A lock file, open for reading.</param>
    /// <returns>Null where it names nobody.</returns>
    public static int? ReadLockOwner(this IFile lockFile)
    {
        ArgumentNullException.ThrowIfNull(lockFile);
        return LockOwner.Read(lockFile);
    }

    /// <summary>Reads all of a file that is small by its nature.</summary>
    /// <exception cref="CorruptDataException">It is longer than memory can be, or becomes shorter meanwhile.</exception>
    public static byte[] ReadWhole(this IFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var length = file.LengthBytes;
        if (length > Array.MaxLength)
            throw new CorruptDataException(file.Path, Array.MaxLength, $"the file is {length} bytes long, more than it can ever be");
        var bytes = new byte[length];
        return file.Read(bytes, 0) == bytes.Length
            ? bytes
            : throw new CorruptDataException(file.Path, 0, "the file became shorter while it was read");
    }
}
