using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>Turns a failed call into a <see cref="StorageException"/>.</summary>
static class PosixError
{
    /// <summary>The error number of this thread's last failed call.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>Raises the last error, unless a signal interrupted the call, which the caller then repeats.</summary>
    public static void ThrowUnlessInterrupted(string operation, string path)
    {
        var errno = Last;
        if (errno != Errno.Interrupted) throw StorageException.FromErrno(operation, path, errno);
    }

    /// <summary>As <see cref="ThrowUnlessInterrupted(string, string)"/>, naming the byte range that was asked for.</summary>
    public static void ThrowUnlessInterrupted(string operation, string path, long offsetBytes, long lengthBytes)
    {
        var errno = Last;
        if (errno != Errno.Interrupted)
            throw StorageException.FromErrno(operation, path, errno, $"{lengthBytes} bytes at {offsetBytes}");
    }
}
