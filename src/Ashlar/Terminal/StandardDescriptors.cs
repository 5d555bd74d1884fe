using System.Runtime.InteropServices;

namespace Ashlar.CommandLine;

/// <summary>
/// The descriptors of input, output and messages. A parent may have closed them ("2>&amp;-", as some that start services do): then what
/// the process opens next gets their numbers, and what is meant for people would be written into a file of a pool, or to a client.
/// </summary>
static unsafe partial class StandardDescriptors
{
    public const int In = 0, Out = 1, Error = 2;

    const int GetDescriptorFlags = 1; // F_GETFD
    const int CloseOnExec = 1; // FD_CLOEXEC
    const int ReadOnly = 0; // O_RDONLY
    const nuint GetWindowSize = 0x5413; // TIOCGWINSZ

    static readonly bool[] Usable = [true, true, true];

    /// <summary>Whether the parent gave it to the process.</summary>
    public static bool IsUsable(int descriptor) => Usable[descriptor];

    /// <summary>Finds out which can be used, and sees that nothing else gets the numbers of those that are free.</summary>
    public static void Secure()
    {
        for (var descriptor = In; descriptor <= Error; descriptor++)
        {
            var flags = Control(descriptor, GetDescriptorFlags);
            // What would be closed by an exec was not inherited over one: it is the runtime's own.
            Usable[descriptor] = flags >= 0 && (flags & CloseOnExec) == 0;
            if (flags < 0) _ = Open("/dev/null", ReadOnly);
        }
    }

    /// <summary>Columns of the terminal that a descriptor is; null where it is none, or does not know.</summary>
    public static int? TerminalWidth(int descriptor)
    {
        WindowSize size;
        return IsUsable(descriptor) && Control(descriptor, GetWindowSize, &size) == 0 && size.Columns > 0 ? size.Columns : null;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, WindowSize* size);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [StructLayout(LayoutKind.Sequential)]
    struct WindowSize
    {
        public ushort Rows, Columns, Width, Height;
    }
}
