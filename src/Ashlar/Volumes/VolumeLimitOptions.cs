using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>The two limits of a volume on a command line: <c>--limit-iops N|none --limit-bandwidth SIZE|none</c>.</summary>
sealed class VolumeLimitOptions(Terminal terminal)
{
    const string NoLimit = "none";

    public Option<long?> Iops { get; } = Setting.Create<long?>(
        terminal, "--limit-iops", "N", "Requests a second of all clients together, or none", ParseIops, null);

    public Option<long?> Bandwidth { get; } = Setting.Create<long?>(
        terminal, "--limit-bandwidth", "SIZE", "Bytes a second, read and written, of all clients together, or none", ParseBandwidth, null);

    /// <summary>What was asked for; null when nothing was.</summary>
    public ChangeLimits? Read(Invocation invocation) => (invocation.Get(Iops), invocation.Get(Bandwidth)) switch
    {
        (null, null) => null,
        var (iops, bandwidth) => new(iops, bandwidth),
    };

    /// <summary>For people: "500 IOPS, 100.00 MiB/s".</summary>
    public static string Format(VolumeLimits? limits) => (limits?.Iops, limits?.BytesPerSecond) switch
    {
        (null, null) => NoLimit,
        ({ } iops, null) => Format(iops),
        (null, { } bandwidth) => $"{ByteSize.Format(bandwidth)}/s",
        ({ } iops, { } bandwidth) => $"{Format(iops)}, {ByteSize.Format(bandwidth)}/s",
    };

    static string Format(long iops) => string.Create(CultureInfo.InvariantCulture, $"{iops} IOPS");

    static long? ParseIops(string text)
    {
        if (text == NoLimit) return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var iops) && iops > 0
            ? iops
            : throw new FormatException($"'{text}' is not a number of requests a second: expected one from 1, or {NoLimit}");
    }

    static long? ParseBandwidth(string text)
    {
        if (text == NoLimit) return 0;
        return ByteSize.Parse(text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text) is > 0 and var bytes
            ? bytes
            : throw new FormatException($"'{text}' is zero: expected a size a second, such as 100MiB, or {NoLimit}");
    }
}
