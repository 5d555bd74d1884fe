using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>Copies files and knows the checksum of what was copied.</summary>
static class FileCopy
{
    const int ChunkBytes = 1 << 20;

    /// <summary>Copies the beginning of a file into a new one and makes the content durable; not the name.</summary>
    /// <returns>Checksum of what was copied.</returns>
    /// <exception cref="CorruptDataException">The source is shorter than that.</exception>
    public static uint Run(IFile source, long lengthBytes, IFileSystem fileSystem, string target)
    {
        using var file = fileSystem.Open(target, FileOpenMode.CreateNew);
        var crc = Read(source, lengthBytes, file);
        file.Sync();
        return crc;
    }

    /// <summary>Checksum of the beginning of a file, or of what of it lies behind an offset.</summary>
    /// <exception cref="CorruptDataException">The file is shorter than that.</exception>
    public static uint Checksum(IFile source, long lengthBytes, long start = 0) => Read(source, lengthBytes, null, start);

    static uint Read(IFile source, long lengthBytes, IFile? target, long start = 0)
    {
        var buffer = new byte[(int)Math.Min(ChunkBytes, lengthBytes)];
        var crc = Crc32C.Compute([]);
        for (var offset = start; offset < lengthBytes; offset += buffer.Length)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, lengthBytes - offset));
            var read = source.Read(chunk, offset);
            if (read != chunk.Length)
                throw new CorruptDataException(source.Path, offset + read, $"the file ends before byte {lengthBytes}");
            crc = Crc32C.Append(crc, chunk);
            target?.Write(chunk, offset);
        }

        return crc;
    }
}
