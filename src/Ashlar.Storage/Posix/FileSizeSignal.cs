namespace Ashlar.Storage;

/// <summary>
/// SIGXFSZ, which the kernel sends with the error EFBIG when a write goes beyond the size that the process may give to files
/// (RLIMIT_FSIZE, "ulimit -f"). Unless somebody handles it, it ends the process: with everything that others do in it, because of one
/// write that can be refused as any other.
/// </summary>
/// <remarks>
/// It belongs to the whole process. So it is ignored only where nobody has decided about it: a handler of the host stays, and one that is
/// installed later replaces this. Programs that the process starts inherit that it is ignored, as those of Python, Go and Java do.
/// </remarks>
static unsafe class FileSizeSignal
{
    const int Number = 25; // On every processor that is supported, and on macOS.
    const nint Default = 0, Ignore = 1;

    // More than struct sigaction has anywhere; the handler comes first.
    const int ActionBytes = 512;

    /// <summary>Has writes beyond the limit fail with EFBIG and nothing else, unless somebody handles the signal.</summary>
    public static void IgnoreUnlessHandled()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        var present = stackalloc nint[ActionBytes / sizeof(nint)];
        if (Libc.SignalAction(Number, null, present) != 0 || *present != Default) return;
        _ = Libc.Signal(Number, Ignore);
    }
}
