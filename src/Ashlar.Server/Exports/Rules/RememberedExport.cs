using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>What the server remembers of an export, a file each. Text, so that people can read it; secrets are sealed.</summary>
/// <remarks>
/// <code>
/// ashlar export                    the first two lines are the same in every version
/// version 1
/// {"number":2,"name":"vm1",...}    all of it
/// crc32c 1a2b3c4d                  of everything before this line
/// </code>
/// </remarks>
sealed record RememberedExport : INumberedRecord<RememberedExport>
{
    const int Version = 1;

    const string Magic = "ashlar export";

    public static string NamePrefix => "export-";

    public static int NumberOffset => 0;

    /// <summary>Never given twice.</summary>
    public required ulong Number { get; init; }

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>Identity of the volume.</summary>
    public required Guid VolumeId { get; init; }

    /// <summary>Name of a snapshot of it that is meant in its place.</summary>
    public string? Snapshot { get; init; }

    /// <summary>Names of the protocols.</summary>
    public required IReadOnlyList<string> Protocols { get; init; }

    /// <summary>IQNs or NQNs that are let in; empty for all.</summary>
    public IReadOnlyList<string> Initiators { get; init; } = [];

    /// <summary>Networks that are let in; empty for all.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Whether those who are let in may only read.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>What initiators have to prove; null for nothing.</summary>
    public SealedChap? Chap { get; init; }

    /// <summary>What hosts of NVMe have to prove; null for nothing.</summary>
    public SealedDhChap? DhChap { get; init; }

    public byte[] Encode()
    {
        var body = $"{Magic}\nversion {Version}\n{JsonSerializer.Serialize(this, RememberedExportJson.Default.RememberedExport)}\n";
        return Encoding.UTF8.GetBytes($"{body}{ChecksumLine(body)}\n");
    }

    public static RememberedExport Decode(ReadOnlySpan<byte> bytes, string path)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var lines = text.Split('\n');
        if (lines[0] != Magic) throw new UnsupportedFormatException(path, "this is not the record of an export");
        if (lines is [_, var version, ..] && version.StartsWith("version ", StringComparison.Ordinal) && version != $"version {Version}")
            throw new UnsupportedFormatException(path, $"the record has format {version}, this program reads version {Version}");
        if (lines is not [_, _, var json, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw new CorruptDataException(path, 0, "the record of an export: its checksum does not match");
        try
        {
            var export = JsonSerializer.Deserialize(json, RememberedExportJson.Default.RememberedExport);
            return export is not null && export.IsPossible()
                ? export
                : throw new CorruptDataException(path, 0, "the record of an export: not one");
        }
        catch (JsonException e)
        {
            throw new CorruptDataException(path, 0, $"the record of an export: {e.Message}");
        }
    }

    // What is not understood here would let somebody in, or keep everybody out.
    bool IsPossible() => Number > 0
        && Name.Length > 0
        && Protocols.Count > 0
        && Protocols.All(ExportProtocols.IsKnown)
        && Addresses.All(static address => IPNetwork.TryParse(address, out _))
        && (Chap is null || (Chap.User.Length > 0 && (Chap.TargetUser is null) == (Chap.TargetSecret is null)));

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}";
}

/// <summary>Users of CHAP, and their secrets as <see cref="SecretBox"/> seals them.</summary>
sealed record SealedChap(string User, byte[] Secret)
{
    /// <summary>As whom the target proves who it is.</summary>
    public string? TargetUser { get; init; }

    /// <summary>What it proves it by, sealed.</summary>
    public byte[]? TargetSecret { get; init; }
}

/// <summary>Secrets of DH-HMAC-CHAP, as <see cref="SecretBox"/> seals them.</summary>
/// <param name="Secret">What hosts prove that they may come by.</param>
/// <param name="ControllerSecret">What the controller proves itself by; null where it cannot.</param>
sealed record SealedDhChap(byte[] Secret, byte[]? ControllerSecret = null);

/// <summary>How <see cref="RememberedExport"/> is written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RememberedExport))]
sealed partial class RememberedExportJson : JsonSerializerContext;
