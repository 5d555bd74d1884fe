using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.KeyValue.Bench;

/// <summary>One benchmark's outcome, the same for Ashlar and the rival. Latencies are in microseconds.</summary>
sealed record Measurement
{
    static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // Leaves the + in names as it is.
    };

    public required string Name { get; init; }
    public long Operations { get; init; }
    public double Seconds { get; init; }
    public double OpsPerSecond { get; init; }
    public double? P50 { get; init; }
    public double? P99 { get; init; }
    public double? P999 { get; init; }
    public double? Max { get; init; }
    public long? Found { get; init; }

    /// <summary>User and system time of the whole process, background threads included.</summary>
    public double CpuMicrosPerOp { get; init; }
    public long PeakResidentBytes { get; init; }
    public long ResidentBytes { get; init; }

    /// <summary>Bytes that the kernel counted as written to disk, and as read from it.</summary>
    public long WrittenBytes { get; init; }
    public long ReadBytes { get; init; }

    /// <summary>Keys and values that were put.</summary>
    public long PutBytes { get; init; }

    /// <summary>Bytes that the engine says it wrote, for each byte put.</summary>
    public double? EngineWrittenPerPut { get; init; }
    public double? AllocatedBytesPerOp { get; init; }
    public double? OpenSeconds { get; init; }

    /// <summary>Operations of the writer beside the readers.</summary>
    public long? WriterOperations { get; init; }

    public double? WrittenPerPut => PutBytes > 0 ? (double)WrittenBytes / PutBytes : null;

    /// <summary>
    /// Taken of background work that followed another benchmark: both together, as only then the operations are done.
    /// </summary>
    public Measurement After(Measurement? work) => work is null ? this : work with
    {
        Name = work.Name + "+" + Name,
        Seconds = work.Seconds + Seconds,
        OpsPerSecond = work.Operations / (work.Seconds + Seconds),
        CpuMicrosPerOp = work.CpuMicrosPerOp + (CpuMicrosPerOp / Math.Max(1, work.Operations)),
        PeakResidentBytes = Math.Max(work.PeakResidentBytes, PeakResidentBytes),
        ResidentBytes = ResidentBytes,
        WrittenBytes = work.WrittenBytes + WrittenBytes,
        ReadBytes = work.ReadBytes + ReadBytes,
        EngineWrittenPerPut = null,
        AllocatedBytesPerOp = null,
        OpenSeconds = null,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Format);

    public override string ToString()
    {
        var text = new List<string>
        {
            Invariant($"{Name,-17}: {(Operations > 0 ? 1e6 * Seconds / Operations : 0):F3} micros/op {OpsPerSecond:F0} ops/sec {Seconds:F3} seconds {Operations} operations"),
        };
        if (Found is { } found) text.Add(Invariant($"{found} found"));
        if (P50 is not null) text.Add(Invariant($"p50 {P50:F2} p99 {P99:F2} p99.9 {P999:F2} max {Max:F0} us"));
        text.Add(Invariant($"cpu {CpuMicrosPerOp:F2} us/op"));
        text.Add(Invariant($"rss {ResidentBytes >> 20} MiB, peak {PeakResidentBytes >> 20}"));
        if (WrittenPerPut is { } written) text.Add(Invariant($"written/put {written:F2}"));
        if (EngineWrittenPerPut is { } engine) text.Add(Invariant($"by the engine {engine:F2}"));
        if (ReadBytes > 0) text.Add(Invariant($"read {ReadBytes >> 20} MiB"));
        if (AllocatedBytesPerOp is { } allocated) text.Add(Invariant($"allocated {allocated:F1} B/op"));
        if (WriterOperations is { } writer) text.Add(Invariant($"writer {writer / Seconds:F0} ops/sec"));
        if (OpenSeconds is { } open) text.Add(Invariant($"open {open * 1000:F1} ms"));
        return string.Join("; ", text);
    }

    static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
