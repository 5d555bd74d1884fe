using System.Globalization;
using System.Text;

namespace Ashlar.Storage;

/// <summary>
/// An exclusive lock by flock on a file that holds its owner's process id. The kernel drops the lock with the process, so
/// nothing has to be cleaned up after a crash. Each take opens a descriptor of its own, so one process cannot take it twice.
/// </summary>
sealed class LockFile : IFileLock
{
    const int MaxProcessIdDigits = 10;

    readonly PosixFile file;
    readonly FileDescriptor descriptor;

    LockFile(PosixFile file, FileDescriptor descriptor)
    {
        this.file = file;
        this.descriptor = descriptor;
    }

    public static LockFile Take(string path)
    {
        while (true)
        {
            var descriptor = FileDescriptor.Open(path, Libc.OpenReadWrite | Libc.OpenCreate);
            var file = new PosixFile(path, descriptor);
            try
            {
                while (Libc.Lock(descriptor, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
                {
                    if (PosixError.Last == Errno.WouldBlock) throw new LockedException(path, ReadOwner(file));
                    PosixError.ThrowUnlessInterrupted("flock", path);
                }

                // Deleted between opening and locking it, the file is nobody's, and another owner may have made a new one.
                if (file.IsAtPath)
                {
                    WriteOwner(file, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
                    return new LockFile(file, descriptor);
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }
    }

    public bool IsInPlace => !descriptor.IsClosed && file.IsAtPath;

    public void Dispose()
    {
        if (descriptor.IsClosed) return;

        WriteOwner(file, ""); // The next owner must not be mistaken for us while it writes its own id.

        // Closing is not enough: a process that was just forked holds a copy of the descriptor until it starts its program.
        _ = Libc.Lock(descriptor, Libc.LockRelease);
        file.Dispose();
    }

    // The lock is held whatever the file says: a disk that is full, or fails, costs only the nicety of telling who has it. A line is always
    // of one length: nothing of the last owner's is left, and nobody needs free space but the first.
    static void WriteOwner(PosixFile file, string id)
    {
        try
        {
            file.Write(Encoding.ASCII.GetBytes(id.PadLeft(MaxProcessIdDigits) + '\n'), 0);
        }
        catch (StorageException)
        {
        }
    }

    /// <summary>The process that holds the lock exclusively, as far as its file says.</summary>
    public static int? ReadOwner(IFile file)
    {
        Span<byte> text = stackalloc byte[MaxProcessIdDigits];
        var length = file.Read(text, 0);
        var digits = text[..length];
        var end = digits.IndexOf((byte)'\n');
        return int.TryParse(end < 0 ? digits : digits[..end], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var id)
            ? id
            : null;
    }
}
