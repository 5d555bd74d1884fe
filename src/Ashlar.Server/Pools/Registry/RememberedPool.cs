using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// What the server remembers of a pool, a file each: what it is called, where it is, what it lies on, what was set. Text, so that people
/// can read it.
/// </summary>
/// <remarks>
/// <code>
/// ashlar pool                      the first two lines are the same in every version
/// version 1                        2 where a device was taken out, or the metadata are on the devices
/// {"number":2,"name":"fast",...}   all of it
/// crc32c 1a2b3c4d                  of everything before this line
/// </code>
/// </remarks>
sealed record RememberedPool : INumberedRecord<RememberedPool>
{
    /// <summary>
    /// The newest version that is read. It is written for pools that a device was taken out of, and for those with their metadata on their
    /// devices: earlier programs know of none, and would look for devices and metadata elsewhere.
    /// </summary>
    public const int Version = 2;

    const int PlainVersion = 1;

    const string Magic = "ashlar pool";

    public static string NamePrefix => "pool-";

    public static int NumberOffset => 0;

    /// <summary>Never given twice, so that a pool of the same name is another one.</summary>
    public required ulong Number { get; init; }

    /// <summary>What it is called now.</summary>
    public required string Name { get; init; }

    /// <summary>Its directory below <c>pools</c>, which it keeps when it gets another name.</summary>
    public required string Directory { get; init; }

    /// <summary>How far it has come.</summary>
    public PoolStage Stage { get; init; }

    /// <summary>What the labels of its second device and of those after it name; the id of its RAID set, if it has one.</summary>
    public required Guid SetId { get; init; }

    /// <summary>Identity of the pool, on its first device; null while it is being made.</summary>
    public Guid? PoolId { get; init; }

    /// <summary>What it lies on, the first one first.</summary>
    public required IReadOnlyList<RememberedDevice> Devices { get; init; }

    /// <summary>Whether its metadata are on its devices: then nothing of it but this is in the data directory.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsPlaced { get; init; }

    /// <summary>How its devices are a RAID set; null where they follow each other.</summary>
    public RaidLevel? Raid { get; init; }

    /// <summary>
    /// Generation that its RAID set was known to have come to: members that say less were left behind by others, which hold what was
    /// written since. 0 where that is not known.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long RaidGeneration { get; init; }

    /// <summary>The devices that are there.</summary>
    [JsonIgnore]
    public IEnumerable<RememberedDevice> PresentDevices => Devices.Where(static device => !device.IsGone);

    /// <summary>Where devices were that were taken out, by their number.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<int, ConcatGap> Gaps => Devices.Index().Where(static each => each.Item.IsGone).ToDictionary(
        static each => each.Index, static each => new ConcatGap(each.Item.GoneBytes!.Value, each.Item.GoneOffsetBytes));

    /// <summary>What was set.</summary>
    public PoolSettings Settings { get; init; } = new();

    public byte[] Encode()
    {
        var version = IsPlaced || Devices.Any(static device => device.IsGone) ? Version : PlainVersion;
        var body = $"{Magic}\nversion {version}\n{JsonSerializer.Serialize(this, RememberedPoolJson.Default.RememberedPool)}\n";
        return Encoding.UTF8.GetBytes($"{body}{ChecksumLine(body)}\n");
    }

    public static RememberedPool Decode(ReadOnlySpan<byte> bytes, string path)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var lines = text.Split('\n');
        if (lines[0] != Magic) throw new UnsupportedFormatException(path, "this is not the record of a pool");
        if (lines is [_, var version, ..]
            && version.StartsWith("version ", StringComparison.Ordinal)
            && version is not ("version 1" or "version 2"))
            throw new UnsupportedFormatException(path, $"the record has format {version}, this program reads up to version {Version}");
        if (lines is not [_, _, var json, var checksum, ""] || checksum != ChecksumLine(text[..^(checksum.Length + 1)]))
            throw new CorruptDataException(path, 0, "the record of a pool: its checksum does not match");
        try
        {
            var pool = JsonSerializer.Deserialize(json, RememberedPoolJson.Default.RememberedPool);
            return pool is not null && pool.IsPossible() ? pool : throw new CorruptDataException(path, 0, "the record of a pool: not one");
        }
        catch (JsonException e)
        {
            throw new CorruptDataException(path, 0, $"the record of a pool: {e.Message}");
        }
    }

    // Both become parts of paths, below which things are removed.
    bool IsPossible() => Number > 0
        && IsName(Name)
        && IsName(Directory)
        && Devices.Count > 0
        && !Devices[0].IsGone
        && (Raid is null || IsPlaced)
        && RaidGeneration >= 0
        && (!IsPlaced || !Devices.Any(static device => device.IsWithin))
        && Devices.All(static device => device.IsWithin || device.Path.StartsWith('/') || (device.IsGone && device.Path.Length == 0))
        && Devices.All(static device => device is { GoneBytes: null or > 0, GoneOffsetBytes: null or > 0 });

    static bool IsName(string name) => name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && !name.Contains('/') && !name.Contains('\0');

    static string ChecksumLine(string body) => $"crc32c {Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}";
}

/// <summary>A device of a pool.</summary>
/// <param name="Path">Where it is, as it was named: names that stay, such as those in /dev/disk/by-id, are kept.</param>
/// <param name="IsOwn">Whether it is a file that was made for the pool, and goes with it.</param>
sealed record RememberedDevice(string Path, bool IsOwn)
{
    /// <summary>The file in the directory of the pool, wherever that is.</summary>
    public static readonly RememberedDevice Within = new("data", IsOwn: true);

    /// <summary>
    /// What it held, where it was taken out: its place stays empty. Its path stays until its label is erased, and is empty from then on.
    /// </summary>
    public long? GoneBytes { get; init; }

    /// <summary>Where that began; null in records of earlier programs, and of a device that was not taken out.</summary>
    public long? GoneOffsetBytes { get; init; }

    /// <summary>Whether it was taken out.</summary>
    [JsonIgnore]
    public bool IsGone => GoneBytes is not null;

    /// <summary>What it is known by in a RAID set; null where that is not known yet, or there is none.</summary>
    public Guid? MemberId { get; init; }

    /// <summary>Whether another device is to take its place in a RAID set: then it is let go.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsLeaving { get; init; }

    /// <summary>
    /// Whether the pool was imported without it: it is where it was, for all that is known, and is not opened, for it may have gone on
    /// without the others.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsLeftOut { get; init; }

    /// <summary>Whether it is that file.</summary>
    [JsonIgnore]
    public bool IsWithin => Path == Within.Path;

    /// <summary>Where it is, of a pool in this directory.</summary>
    public string PathIn(string directory) => IsWithin ? $"{directory}/{Path}" : Path;
}

/// <summary>How <see cref="RememberedPool"/> is written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RememberedPool))]
sealed partial class RememberedPoolJson : JsonSerializerContext;
