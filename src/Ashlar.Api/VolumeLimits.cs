using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>What all clients of a volume together may ask of it in a second; what is absent is not limited.</summary>
/// <param name="Iops">Requests: reads, writes, zeroing and trims.</param>
/// <param name="BytesPerSecond">Bytes read and written.</param>
public sealed record VolumeLimits(long? Iops = null, long? BytesPerSecond = null);

/// <summary>Limits to set: 0 lifts one, and what is absent stays as it is.</summary>
/// <param name="Iops">Requests: reads, writes, zeroing and trims.</param>
/// <param name="BytesPerSecond">Bytes read and written.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeLimits(long? Iops = null, long? BytesPerSecond = null);
