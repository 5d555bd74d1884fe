using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>Reads a file from front to back through a large buffer: few system calls, and bytes in place.</summary>
sealed class LogWindow(IFile file, long lengthBytes)
{
    const int WindowBytes = 1 << 20;

    byte[] buffer = [];
    long start;
    int filled;

    /// <summary>The bytes from an offset on, fewer at the end of the file; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(long offset, int count)
    {
        if (offset < start || offset + count > start + filled)
        {
            var wanted = (int)Math.Max(0, Math.Min(Math.Max(count, WindowBytes), lengthBytes - offset));
            if (buffer.Length < wanted) buffer = GC.AllocateUninitializedArray<byte>(wanted);
            filled = 0;
            filled = file.Read(buffer.AsSpan(0, wanted), offset);
            start = offset;
        }

        return buffer.AsSpan((int)(offset - start), (int)Math.Min(count, start + filled - offset));
    }
}
