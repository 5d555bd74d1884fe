using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// Standard output. Unlike the one of <see cref="Console"/> it does not pass over in silence that nobody reads any more: a command would
/// go on to the end of a large store for nobody.
/// </summary>
/// <param name="descriptor">That of output, or what <see cref="MessageOutput"/> makes of this.</param>
sealed unsafe partial class StandardOutput(int descriptor) : Stream
{
    const int BadDescriptor = 9;
    const short PollOut = 4;
    const short PollError = 8;
    const int WithoutEnd = -1;

    /// <summary>Whether nobody reads any more, as far as can be seen without writing.</summary>
    public static bool IsClosed
    {
        get
        {
            var poll = new PollDescriptor { Descriptor = StandardDescriptors.Out };
            return Poll(&poll, 1, 0) > 0 && (poll.ReturnedEvents & PollError) != 0;
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Writes all of it.</summary>
    /// <exception cref="OutputException">The system refused, or nobody reads.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        // Its number is somebody else's.
        if (!StandardDescriptors.IsUsable(descriptor)) throw new OutputException(isClosed: false, Errno.Describe(BadDescriptor));
        while (!buffer.IsEmpty)
        {
            nint written;
            fixed (byte* bytes = buffer) written = Write(descriptor, bytes, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.Interrupted:
                    break;
                case Errno.WouldBlock: // A terminal or pipe that somebody else made non-blocking.
                    var poll = new PollDescriptor { Descriptor = descriptor, Events = PollOut };
                    _ = Poll(&poll, 1, WithoutEnd);
                    break;
                case OutputException.BrokenPipe:
                    throw OutputException.Closed();
                case var errno:
                    throw new OutputException(isClosed: false, Errno.Describe(errno));
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte* buffer, nuint count);

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

/// <summary>What a command found could not be written.</summary>
/// <param name="isClosed">Whether that is so because nobody reads any more: "ashlar volume list | head -1".</param>
/// <param name="reason">The words of the system.</param>
sealed class OutputException(bool isClosed, string reason) : IOException($"the output cannot be written: {reason}")
{
    /// <summary>The error of the system for it.</summary>
    public const int BrokenPipe = 32;

    public bool IsClosed { get; } = isClosed;

    /// <summary>Nobody reads any more.</summary>
    public static OutputException Closed() => new(isClosed: true, Errno.Describe(BrokenPipe));
}
