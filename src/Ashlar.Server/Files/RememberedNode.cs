using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>How far a storage node has come, of the server's view.</summary>
enum NodeStage
{
    /// <summary>It is in use.</summary>
    Ready = 0,

    /// <summary>Its directory is being made: nothing has been stored on it, and a start that finds it so goes on.</summary>
    Adding,

    /// <summary>It is being emptied: it is read from only.</summary>
    Draining,

    /// <summary>It will not come back.</summary>
    Lost,
}

/// <summary>
/// What the server remembers of a storage node, a file each: what it is called, where it is, what is lost with it. Text, so that people
/// can read it.
/// </summary>
/// <remarks>
/// <code>
/// ashlar storage node              the first two lines are the same in every version
/// version 1
/// {"number":2,"name":"disk2",...}  all of it
/// crc32c 1a2b3c4d                  of everything before this line
/// </code>
/// </remarks>
sealed record RememberedNode : INumberedRecord<RememberedNode>
{
    const int Version = 1;

    const string Magic = "ashlar storage node";

    public static string NamePrefix => "node-";

    public static int NumberOffset => 0;

    /// <summary>Never given twice.</summary>
    public required ulong Number { get; init; }

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>Its directory; what does not begin with a slash lies in the directory of the file store, wherever that is.</summary>
    public required string Path { get; init; }

    /// <summary>What is lost together has the same; empty for the file system that it is on.</summary>
    public string Domain { get; init; } = "";

    /// <summary>What its directory says that it is; null while it is being made.</summary>
    public string? Id { get; init; }

    /// <summary>How far it has come.</summary>
    public NodeStage Stage { get; init; }

    /// <summary>The same as a number.</summary>
    [JsonIgnore]
    public NodeId? NodeId => Files.NodeId.TryParse(Id, out var id) ? id : null;

    /// <summary>Where it is, of a file store in this directory.</summary>
    public string PathIn(string directory) => Path.StartsWith('/') ? Path : $"{directory}/{Path}";

    public byte[] Encode()
    {
        var body = $"{Magic}\nversion {Version}\n{JsonSerializer.Serialize(this, RememberedNodeJson.Default.RememberedNode)}\n";
        return Encoding.UTF8.GetBytes($"{body}{ChecksumLine(body)}\n");
    }

    public static RememberedNode Decode(ReadOnlySpan<byte> bytes, string path)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var lines = text.Split('\n');
        if (lines[0] != Magic) throw new UnsupportedFormatException(path, "this is not the record of a storage node");
        if (lines is [_, var version, ..] && version.StartsWith("version ", StringComparison.Ordinal) && version != $"version {Version}")
            throw new UnsupportedFormatException(path, $"the record has format {version}, this program reads version {Version}");
        if (lines is not [_, _, var json, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw new CorruptDataException(path, 0, "the record of a storage node: its checksum does not match");
        try
        {
            var node = JsonSerializer.Deserialize(json, RememberedNodeJson.Default.RememberedNode);
            return node is not null && node.IsPossible()
                ? node
                : throw new CorruptDataException(path, 0, "the record of a storage node: not one");
        }
        catch (JsonException e)
        {
            throw new CorruptDataException(path, 0, $"the record of a storage node: {e.Message}");
        }
    }

    bool IsPossible() => Number > 0
        && Name.Length > 0
        && Path.Length > 0
        && !Path.Contains('\0')
        && (Stage == NodeStage.Adding || NodeId is not null);

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}";
}

/// <summary>How <see cref="RememberedNode"/> is written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RememberedNode))]
sealed partial class RememberedNodeJson : JsonSerializerContext;
