using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>Persistent reservations of a volume as they are on disk, a file each. Text, so that people can read it.</summary>
/// <remarks>
/// <code>
/// ashlar reservations              the first two lines are the same in every version
/// version 1
/// {"volumeId":"..",...}            all of it
/// crc32c 1a2b3c4d                  of everything before this line
/// </code>
/// </remarks>
sealed record RememberedReservations
{
    const int Version = 1;

    const string Magic = "ashlar reservations";

    /// <summary>The volume.</summary>
    public required Guid VolumeId { get; init; }

    /// <summary>Generation, as initiators are told it.</summary>
    public required uint Generation { get; init; }

    /// <summary>Type of the reservation, by the number of SCSI; null where there is none.</summary>
    public int? Type { get; init; }

    /// <summary>Which registration holds it, counted from 0; null where there is none, or all do.</summary>
    public int? Holder { get; init; }

    /// <summary>Who has registered.</summary>
    public required IReadOnlyList<RememberedRegistration> Registrations { get; init; }

    /// <summary>What is to be written of a state.</summary>
    public static byte[] Encode(Guid volume, ReservationState state)
    {
        var registrations = state.Registrations;
        var record = new RememberedReservations
        {
            VolumeId = volume,
            Generation = state.Generation,
            Type = (int?)state.Type,
            Holder = state.Holder is { } holder ? registrations.IndexOf(state.Find(holder)!) : null,
            Registrations =
            [
                .. registrations.Select(static each => new RememberedRegistration(
                    ExportProtocols.Of(each.Registrant.Protocol), each.Registrant.Name, each.Registrant.Port, each.Key)),
            ],
        };
        var json = JsonSerializer.Serialize(record, RememberedReservationsJson.Default.RememberedReservations);
        var body = $"{Magic}\nversion {Version}\n{json}\n";
        return Encoding.UTF8.GetBytes($"{body}{ChecksumLine(body)}\n");
    }

    /// <summary>The state of a volume that was written.</summary>
    /// <exception cref="CorruptDataException">It is damaged, or another's.</exception>
    public static ReservationState Decode(ReadOnlySpan<byte> bytes, Guid volume, string path)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var lines = text.Split('\n');
        if (lines[0] != Magic) throw new UnsupportedFormatException(path, "these are not the reservations of a volume");
        if (lines is [_, var version, ..] && version.StartsWith("version ", StringComparison.Ordinal) && version != $"version {Version}")
            throw new UnsupportedFormatException(path, $"the reservations have format {version}, this program reads version {Version}");
        if (lines is not [_, _, var json, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw Damaged(path, "their checksum does not match");
        try
        {
            var record = JsonSerializer.Deserialize(json, RememberedReservationsJson.Default.RememberedReservations);
            if (record is null || record.VolumeId != volume) throw Damaged(path, "they are of another volume");
            var state = record.ToState() ?? throw Damaged(path, "they are none");
            return state.FindProblem() is { } problem ? throw Damaged(path, problem) : state;
        }
        catch (JsonException e)
        {
            throw Damaged(path, e.Message);
        }
    }

    ReservationState? ToState()
    {
        if (Holder is { } at && (at < 0 || at >= Registrations.Count)) return null;
        var registrations = ImmutableArray.CreateBuilder<Registration>();
        foreach (var each in Registrations)
        {
            if (!Enum.TryParse<ClientProtocol>(each.Protocol, ignoreCase: true, out var protocol) || !Enum.IsDefined(protocol)) return null;
            registrations.Add(new(new(protocol, each.Name, each.Port), each.Key));
        }
        return new()
        {
            Generation = Generation,
            Registrations = registrations.ToImmutable(),
            Type = (ReservationType?)Type,
            Holder = Holder is { } holder ? registrations[holder].Registrant : null,
            IsPersistent = true,
        };
    }

    static CorruptDataException Damaged(string path, string problem) => new(path, 0, $"the reservations of a volume: {problem}");

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}";
}

/// <summary>A registration on disk.</summary>
sealed record RememberedRegistration(string Protocol, string Name, int Port, ulong Key);

/// <summary>How <see cref="RememberedReservations"/> is written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RememberedReservations))]
sealed partial class RememberedReservationsJson : JsonSerializerContext;
