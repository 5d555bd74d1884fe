using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Ashlar.Storage;

/// <summary>How many descriptors, files and sockets together, this process may have open (RLIMIT_NOFILE).</summary>
[SupportedOSPlatform("linux")]
public static unsafe partial class DescriptorLimit
{
    const int OpenFiles = 7; // RLIMIT_NOFILE

    /// <summary>The limit in force; <see cref="long.MaxValue"/> where there is none.</summary>
    public static long Current => Read(out var limit) ? Clamp(limit.Soft) : long.MaxValue;

    /// <summary>Raises the limit to what is wanted, as far as the administrator lets us.</summary>
    /// <returns>The limit then in force.</returns>
    public static long Raise(long wanted)
    {
        if (!Read(out var limit)) return long.MaxValue;
        if (Clamp(limit.Soft) < wanted && limit.Soft < limit.Hard)
        {
            var raised = limit with { Soft = Math.Min((ulong)wanted, limit.Hard) };
            if (Set(OpenFiles, &raised) == 0) return Clamp(raised.Soft);
        }
        return Clamp(limit.Soft);
    }

    static bool Read(out Limit limit)
    {
        fixed (Limit* target = &limit) return Get(OpenFiles, target) == 0;
    }

    static long Clamp(ulong value) => value > long.MaxValue ? long.MaxValue : (long)value;

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int Get(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int Set(int resource, Limit* limit);

    [StructLayout(LayoutKind.Sequential)]
    record struct Limit(ulong Soft, ulong Hard);
}
