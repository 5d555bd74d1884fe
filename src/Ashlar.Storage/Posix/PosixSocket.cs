using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>Calls on connected sockets that .NET does not offer: to send without waiting on a socket that otherwise blocks.</summary>
[SupportedOSPlatform("linux")]
public static unsafe partial class PosixSocket
{
    const int DoNotWait = 0x40, NoSignal = 0x4000; // MSG_DONTWAIT, MSG_NOSIGNAL
    const short Writable = 4; // POLLOUT

    /// <summary>Hands to the kernel what it takes at once.</summary>
    /// <returns>How many bytes it took, 0 when it takes none now, or a negative error number.</returns>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static int TrySend(SafeHandle socket, ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
        {
            while (true)
            {
                var sent = Send(socket, bytes, (nuint)data.Length, DoNotWait | NoSignal);
                if (sent >= 0) return (int)sent;
                var error = PosixError.Last;
                if (error == Errno.WouldBlock) return 0;
                if (error != Errno.Interrupted) return -error;
            }
        }
    }

    /// <summary>Waits until <see cref="TrySend"/> can get on: the kernel has room, or the connection has ended.</summary>
    /// <param name="socket">A connected socket.</param>
    /// <param name="timeoutMilliseconds">Not negative.</param>
    /// <returns>False when the time is over; a signal may end the wait early, which looks like room.</returns>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static bool WaitUntilWritable(SafeHandle socket, int timeoutMilliseconds)
    {
        var isHeld = false;
        try
        {
            socket.DangerousAddRef(ref isHeld);
            var poll = new PollDescriptor { Descriptor = (int)socket.DangerousGetHandle(), Events = Writable };
            var ready = Poll(&poll, 1, timeoutMilliseconds);
            return ready > 0 || (ready < 0 && PosixError.Last == Errno.Interrupted);
        }
        finally
        {
            if (isHeld) socket.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
