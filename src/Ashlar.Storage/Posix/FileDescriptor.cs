using Microsoft.Win32.SafeHandles;

namespace Ashlar.Storage;

/// <summary>
/// An open descriptor. The runtime counts the calls in flight, so that a descriptor is closed after the last of them and
/// its number, which the kernel gives out again at once, is never used by a caller that came too late.
/// </summary>
sealed class FileDescriptor() : SafeHandleMinusOneIsInvalid(ownsHandle: true)
{
    FileDescriptor(int number)
        : this() => SetHandle(number);

    /// <summary>Opens a path; interrupted calls are repeated.</summary>
    public static FileDescriptor Open(string path, int flags)
    {
        while (true)
        {
            var number = Libc.Open(path, flags | Libc.OpenCloseOnExec, Libc.FileMode);
            if (number >= 0) return new FileDescriptor(number);
            PosixError.ThrowUnlessInterrupted("open", path);
        }
    }

    // Linux closes the descriptor even when close reports an error; what matters was reported by fdatasync before.
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
