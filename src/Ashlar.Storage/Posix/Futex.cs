using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>Linux's futex: sleeping while a word in memory holds a value, and waking all who do by one call.</summary>
static unsafe partial class Futex
{
    const int WaitPrivate = 0 | 128, WakePrivate = 1 | 128;

    static readonly long CallNumber = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => 98,
        _ => -1,
    };

    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess && CallNumber >= 0;

    /// <summary>Sleeps if the word holds the value. May return for no reason.</summary>
    public static void Wait(int* word, int value) => _ = Call(CallNumber, word, WaitPrivate, value, 0);

    public static void WakeAll(int* word) => _ = Call(CallNumber, word, WakePrivate, int.MaxValue, 0);

    // syscall is variadic in C; on Linux the processors above pass its arguments like declared ones.
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Call(long number, int* word, long operation, long value, nint timeout);
}
