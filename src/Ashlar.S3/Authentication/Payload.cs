namespace Ashlar.S3;

/// <summary>How the body of a request comes.</summary>
enum PayloadKind
{
    /// <summary>As it is, vouched for by nothing but its checksum, if it has one.</summary>
    Unsigned = 0,

    /// <summary>As it is, with its hash in the signature.</summary>
    Hashed,

    /// <summary>In chunks, each of them signed.</summary>
    SignedChunks,

    /// <summary>In signed chunks with a signed trailer.</summary>
    SignedChunksWithTrailer,

    /// <summary>In chunks that are not signed, with a trailer: its checksum is all that vouches for it.</summary>
    ChunksWithTrailer,
}

/// <summary>What the signature of a request says of its body.</summary>
/// <param name="Kind">How it comes.</param>
/// <param name="Hash">What stands for it in the canonical request: where it is hashed, its SHA-256.</param>
sealed record Payload(PayloadKind Kind, string Hash)
{
    public const string Header = "x-amz-content-sha256";
    public const string UnsignedText = "UNSIGNED-PAYLOAD";

    const int HashLength = 64;

    public static Payload Unsigned { get; } = new(PayloadKind.Unsigned, UnsignedText);

    /// <summary>What verifies the chunks, if they are signed.</summary>
    public ChunkSignatures? Signatures { get; init; }

    public bool IsChunked => Kind >= PayloadKind.SignedChunks;

    public bool HasTrailer => Kind is PayloadKind.SignedChunksWithTrailer or PayloadKind.ChunksWithTrailer;

    /// <summary>Reads the value of the header.</summary>
    /// <exception cref="S3Exception">It is none of those that there are.</exception>
    public static Payload Parse(string value) => value switch
    {
        UnsignedText => Unsigned,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => new(PayloadKind.SignedChunks, value),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => new(PayloadKind.SignedChunksWithTrailer, value),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => new(PayloadKind.ChunksWithTrailer, value),
        _ when value.Length == HashLength && value.All(char.IsAsciiHexDigit) => new(PayloadKind.Hashed, value),
        _ => throw S3Error.InvalidArgument.Because(
            $"{Header} has to be a SHA-256 in hexadecimal, {UnsignedText}, or one of the STREAMING forms."),
    };
}
