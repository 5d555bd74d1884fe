namespace Ashlar.S3;

/// <summary>Algorithms of checksums that clients may ask for.</summary>
enum ChecksumAlgorithm
{
    Crc32 = 0,
    Crc32C,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// <summary>What a checksum of an upload in parts is made of.</summary>
enum ChecksumType
{
    /// <summary>All of the content.</summary>
    FullObject = 0,

    /// <summary>The checksums of the parts.</summary>
    Composite,
}

/// <summary>Names of checksums.</summary>
static class ChecksumNames
{
    public const string HeaderBeginning = "x-amz-checksum-";
    public const string TypeHeader = "x-amz-checksum-type";
    public const string AlgorithmHeader = "x-amz-checksum-algorithm";
    public const string ModeHeader = "x-amz-checksum-mode";

    public static IReadOnlyList<ChecksumAlgorithm> All { get; } = Enum.GetValues<ChecksumAlgorithm>();

    /// <summary>As S3 writes it.</summary>
    public static string NameOf(this ChecksumAlgorithm algorithm) => algorithm.ToString().ToUpperInvariant();

    /// <summary>The element that has the value in XML.</summary>
    public static string ElementOf(this ChecksumAlgorithm algorithm) => "Checksum" + algorithm.NameOf();

    /// <summary>The header that has the value, which is also the name of the property.</summary>
    public static string HeaderOf(this ChecksumAlgorithm algorithm) => HeaderBeginning + algorithm.ToString().ToLowerInvariant();

    /// <summary>Whether a header has the value of a checksum, also of one that is not known.</summary>
    public static bool IsValue(string header) => header.StartsWith(HeaderBeginning, StringComparison.OrdinalIgnoreCase)
        && header.ToLowerInvariant() is not (TypeHeader or AlgorithmHeader or ModeHeader);

    public static int SizeOf(this ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Crc64Nvme => 8,
        ChecksumAlgorithm.Sha1 => 20,
        ChecksumAlgorithm.Sha256 => 32,
        _ => 4,
    };

    public static bool CanBeCombined(this ChecksumAlgorithm algorithm) =>
        algorithm is ChecksumAlgorithm.Crc32 or ChecksumAlgorithm.Crc32C or ChecksumAlgorithm.Crc64Nvme;

    /// <summary>Reads the name of an algorithm.</summary>
    /// <exception cref="S3Exception">There is none of this name.</exception>
    public static ChecksumAlgorithm Parse(string name)
    {
        foreach (var algorithm in All)
        {
            if (algorithm.NameOf().Equals(name, StringComparison.OrdinalIgnoreCase)) return algorithm;
        }

        throw S3Error.InvalidRequest.Because($"The checksum algorithm has to be one of {string.Join(", ", All.Select(NameOf))}.");
    }

    public static string NameOf(this ChecksumType type) => type == ChecksumType.Composite ? "COMPOSITE" : "FULL_OBJECT";

    /// <summary>Reads the name of a type.</summary>
    /// <exception cref="S3Exception">There is none of this name.</exception>
    public static ChecksumType ParseType(string name) => name switch
    {
        "COMPOSITE" => ChecksumType.Composite,
        "FULL_OBJECT" => ChecksumType.FullObject,
        _ => throw S3Error.InvalidRequest.Because($"{TypeHeader} has to be COMPOSITE or FULL_OBJECT."),
    };

    /// <summary>Reads a value; null for what cannot be one.</summary>
    public static byte[]? Decode(this ChecksumAlgorithm algorithm, string text)
    {
        Span<byte> bytes = stackalloc byte[64];
        return text.Length <= 48 && Convert.TryFromBase64String(text, bytes, out var length) && length == algorithm.SizeOf()
            ? bytes[..length].ToArray()
            : null;
    }
}
