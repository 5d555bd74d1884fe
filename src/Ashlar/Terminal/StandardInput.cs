using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Standard input, of a terminal line by line.</summary>
sealed unsafe partial class StandardInput : Stream
{
    const int BadDescriptor = 9;
    const short PollIn = 1;
    const int WithoutEnd = -1;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads what is there, or waits; 0 at the end.</summary>
    /// <exception cref="InputException">The system refused: it is closed, or a directory.</exception>
    public override int Read(Span<byte> buffer)
    {
        // Its number is somebody else's.
        if (!StandardDescriptors.IsUsable(StandardDescriptors.In)) throw new InputException(Errno.Describe(BadDescriptor));
        while (true)
        {
            nint read;
            fixed (byte* bytes = buffer) read = Read(StandardDescriptors.In, bytes, (nuint)buffer.Length);
            if (read >= 0) return (int)read;
            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.Interrupted:
                    break;
                case Errno.WouldBlock: // A terminal or pipe that somebody else made non-blocking.
                    var poll = new PollDescriptor { Descriptor = StandardDescriptors.In, Events = PollIn };
                    _ = Poll(&poll, 1, WithoutEnd);
                    break;
                case var errno:
                    throw new InputException(Errno.Describe(errno));
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}

/// <summary>What a command was to read could not be read.</summary>
/// <param name="reason">The words of the system.</param>
sealed class InputException(string reason) : IOException($"the input cannot be read: {reason}");
