using System.Globalization;

namespace Ashlar.KeyValue.Bench;

/// <summary>What the kernel has counted for a process up to now.</summary>
/// <param name="CpuSeconds">User and system time of all threads.</param>
/// <param name="WrittenBytes">Bytes that the process caused to be written to the disk, also those not written back yet.</param>
/// <param name="ReadBytes">Bytes that were read from the disk for it.</param>
/// <param name="WriteCallBytes">Bytes handed to write calls.</param>
readonly record struct ProcessUsage(double CpuSeconds, long WrittenBytes, long ReadBytes, long WriteCallBytes)
{
    const double TicksPerSecond = 100; // USER_HZ of every Linux that .NET runs on.

    // A line of a log, or of output, is no work; nor is one tick of the clock that times processes.
    const int IdleWriteBytes = 16 << 10;
    const double IdleSeconds = 0.015;

    /// <summary>Whether more was done than a process does that has nothing to do; both taken about 100 ms apart.</summary>
    public bool IsBusySince(ProcessUsage earlier) =>
        WriteCallBytes - earlier.WriteCallBytes > IdleWriteBytes || CpuSeconds - earlier.CpuSeconds > IdleSeconds;

    public static ProcessUsage OfThisProcess() =>
        Of("self") with { CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds };

    /// <param name="process">An id, or "self". All zeros for a process that has ended.</param>
    public static ProcessUsage Of(string process)
    {
        try
        {
            var io = File.ReadAllLines($"/proc/{process}/io");
            var stat = File.ReadAllText($"/proc/{process}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
            return new(ticks / TicksPerSecond, Field(io, "write_bytes:"), Field(io, "read_bytes:"), Field(io, "wchar:"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    public static long PeakResidentBytes(string process) => StatusBytes(process, "VmHWM:");

    public static long ResidentBytes(string process) => StatusBytes(process, "VmRSS:");

    /// <summary>Lets the peak of resident memory begin anew.</summary>
    public static void ResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The peak then includes what ran before.
        }
    }

    static long StatusBytes(string process, string name)
    {
        try
        {
            return Field(File.ReadAllLines($"/proc/{process}/status"), name) * 1024;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    static long Field(string[] lines, string name)
    {
        foreach (var line in lines)
        {
            if (!line.StartsWith(name, StringComparison.Ordinal)) continue;
            var number = line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
            return long.Parse(number, CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
