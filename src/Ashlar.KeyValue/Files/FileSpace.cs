using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>
/// Space for what will be written to a file. Some file systems cannot reserve any (NFS before 4.2, exFAT, many in user space): there the
/// file is extended by zeros, which is what reserved space reads as.
/// </summary>
static class FileSpace
{
    /// <summary>
    /// Zeros are written in pieces, because the kernel makes one large folio of one large write, and to flush a little of a large
    /// folio costs more.
    /// </summary>
    const int PieceBytes = 64 << 10;

    static readonly byte[] Zeros = new byte[PieceBytes];

    /// <summary>Reserves space behind the end of a file.</summary>
    /// <returns>False if the file system has no such operation; nothing was done.</returns>
    /// <exception cref="StorageException">There is not so much space.</exception>
    public static bool TryReserve(IFile file, long offset, long lengthBytes)
    {
        try
        {
            file.Allocate(offset, lengthBytes);
            return true;
        }
        catch (StorageException missing) when (missing.Kind == StorageErrorKind.NotSupported)
        {
            return false;
        }
    }

    /// <summary>Reserves space behind the end of a file, or extends it by zeros where nothing can be reserved.</summary>
    /// <exception cref="StorageException">There is not so much space; the file is as long as it was.</exception>
    public static void Extend(IFile file, long offset, long lengthBytes)
    {
        if (TryReserve(file, offset, lengthBytes)) return;
        try
        {
            WriteZeros(file, offset, offset + lengthBytes);
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace || full.Errno == Errno.FileTooLarge)
        {
            file.SetLength(offset); // What there was room for is needed elsewhere.
            throw;
        }
    }

    /// <summary>Writes zeros from one offset up to another.</summary>
    public static void WriteZeros(IFile file, long start, long end)
    {
        for (var at = start; at < end; at += PieceBytes) file.Write(Zeros.AsSpan(0, (int)Math.Min(PieceBytes, end - at)), at);
    }
}
