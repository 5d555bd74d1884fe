using System.Buffers;
using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>What is kept with an object beside its content, under the names of the headers that bring and show it.</summary>
static class ObjectProperties
{
    public const string DefaultContentType = "binary/octet-stream";
    public const string ContentType = "content-type";
    public const string UserBeginning = "x-amz-meta-";

    /// <summary>Sizes of the parts of an upload, in their order.</summary>
    public const string Parts = "s3-parts";

    /// <summary>The algorithm of the checksums of an upload in parts, as it was begun.</summary>
    public const string PartsAlgorithm = "s3-parts-algorithm";

    const int MaxUserBytes = 2048, MaxValueLength = 2048;

    static readonly SearchValues<char> TokenLetters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");

    static readonly string[] ContentHeaders = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

    /// <summary>Headers that ask for what is not here. To ignore them would be to say that it was done.</summary>
    static readonly string[] Unsupported =
    [
        "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-copy-source-server-side-encryption-customer-algorithm",
        "x-amz-website-redirect-location", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold",
        "x-amz-bucket-object-lock-enabled", "x-amz-write-offset-bytes", "x-amz-rename-source",
    ];

    /// <summary>What the headers of a request, or the fields of a form, say of the object that it makes.</summary>
    /// <exception cref="S3Exception">They ask for what is not here, or are too long.</exception>
    public static FileProperties Of(IReadOnlyDictionary<string, string> headers)
    {
        RefuseUnsupported(headers);
        var type = headers.GetValueOrDefault(ContentType) is { Length: > 0 } said ? said : DefaultContentType;
        var properties = new Dictionary<string, string>(StringComparer.Ordinal) { [ContentType] = Bounded(ContentType, type) };
        foreach (var name in ContentHeaders)
        {
            if (headers.GetValueOrDefault(name) is not { Length: > 0 } value) continue;
            if (name == "content-encoding") value = WithoutAwsChunked(value);
            if (value.Length > 0) properties[name] = Bounded(name, value);
        }

        AddUserMetadata(properties, headers);
        if (headers.GetValueOrDefault(Tagging.Header) is { Length: > 0 } tags) properties[Tagging.Property] = Tagging.ParseHeader(tags);
        return FileProperties.Of(properties);
    }

    /// <summary>Adds what names and values say that begin as user metadata do.</summary>
    static void AddUserMetadata(Dictionary<string, string> properties, IEnumerable<KeyValuePair<string, string>> fields)
    {
        var bytes = 0;
        foreach (var (header, value) in fields)
        {
            if (!header.StartsWith(UserBeginning, StringComparison.OrdinalIgnoreCase)) continue;
            var name = header.ToLowerInvariant();
            if (name.Length == UserBeginning.Length || name.Length > 255)
                throw S3Error.InvalidArgument.Because("The name of a metadata header is empty or too long.");
            if (!IsToken(name))
                throw S3Error.InvalidArgument.Because("The name of a metadata header has characters that headers have not.");
            bytes += name.Length - UserBeginning.Length + Encoding.UTF8.GetByteCount(value);
            if (bytes > MaxUserBytes) throw S3Error.MetadataTooLarge.Exception();
            properties[name] = value;
        }
    }

    public static void RefuseUnsupported(IReadOnlyDictionary<string, string> headers)
    {
        foreach (var name in Unsupported)
        {
            if (headers.ContainsKey(name)) throw S3Error.NotImplemented.Because($"{name} is not supported here.");
        }

        if (headers.GetValueOrDefault("x-amz-storage-class") is not (null or "STANDARD")) throw S3Error.InvalidStorageClass.Exception();
        RefuseLists(headers);
    }

    /// <summary>Refuses access control lists that give anybody else a right.</summary>
    public static void RefuseLists(IReadOnlyDictionary<string, string> headers)
    {
        if (headers.GetValueOrDefault("x-amz-acl") is not (null or "private" or "bucket-owner-full-control"))
            throw S3Error.AccessControlListNotSupported.Exception();
        if (headers.Keys.Any(name => name.StartsWith("x-amz-grant-", StringComparison.OrdinalIgnoreCase)))
            throw S3Error.AccessControlListNotSupported.Exception();
    }

    public static bool IsUserOrContent(string name) =>
        name == ContentType || ContentHeaders.Contains(name) || name.StartsWith(UserBeginning, StringComparison.Ordinal);

    /// <summary>Whether a header can have a name.</summary>
    public static bool IsToken(string name) => !name.AsSpan().ContainsAnyExcept(TokenLetters);

    public static bool IsChecksum(string name) => name.StartsWith(ChecksumNames.HeaderBeginning, StringComparison.Ordinal);

    static string Bounded(string name, string value) =>
        value.Length <= MaxValueLength ? value : throw S3Error.InvalidArgument.Because($"The header {name} is too long.");

    // The others stay as they were sent.
    static string WithoutAwsChunked(string value)
    {
        const string Chunked = "aws-chunked";
        if (!value.Contains(Chunked, StringComparison.OrdinalIgnoreCase)) return value;
        var codings = value.Split(',', StringSplitOptions.TrimEntries);
        return string.Join(", ", codings.Where(static one => !one.Equals(Chunked, StringComparison.OrdinalIgnoreCase)));
    }
}
