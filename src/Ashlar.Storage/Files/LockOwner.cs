using System.Globalization;
using System.Text;

namespace Ashlar.Storage;

/// <summary>What a lock file says of its owner: the process id, in a line that is always of one length.</summary>
static class LockOwner
{
    const int MaxProcessIdDigits = 10;

    /// <summary>Says that this process has the lock.</summary>
    public static void Write(IFile file) => Write(file, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Says that nobody has it: the next owner must not be mistaken for us while it writes its own id.</summary>
    public static void Clear(IFile file) => Write(file, "");

    /// <summary>The process that holds the lock exclusively, as far as its file says.</summary>
    public static int? Read(IFile file)
    {
        Span<byte> text = stackalloc byte[MaxProcessIdDigits];
        var length = file.Read(text, 0);
        var digits = text[..length];
        var end = digits.IndexOf((byte)'\n');
        return int.TryParse(end < 0 ? digits : digits[..end], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var id)
            ? id
            : null;
    }

    // The lock is held whatever the file says: a disk that is full, or fails, costs only the nicety of telling who has it. A line is always
    // of one length: nothing of the last owner's is left, and nobody needs free space but the first.
    static void Write(IFile file, string id)
    {
        try
        {
            file.Write(Encoding.ASCII.GetBytes(id.PadLeft(MaxProcessIdDigits) + '\n'), 0);
        }
        catch (StorageException)
        {
        }
    }
}
