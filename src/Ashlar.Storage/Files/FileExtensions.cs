namespace Ashlar.Storage;

/// <summary>What takes several calls of a file.</summary>
public static class FileExtensions
{
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
