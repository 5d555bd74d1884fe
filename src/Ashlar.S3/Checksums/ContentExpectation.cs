namespace Ashlar.S3;

/// <summary>What a client has said that content must be.</summary>
sealed record ContentExpectation
{
    const string Md5Header = "content-md5";

    public static ContentExpectation Nothing { get; } = new();

    /// <summary>Its MD5.</summary>
    public byte[]? Md5 { get; init; }

    /// <summary>The algorithm of its checksum.</summary>
    public ChecksumAlgorithm? Algorithm { get; init; }

    /// <summary>Its checksum; null where only the algorithm is known, or it follows.</summary>
    public byte[]? Checksum { get; init; }

    /// <summary>Where the checksum follows.</summary>
    public Trailer? Trailer { get; init; }

    /// <summary>Of a body that only describes an object: headers say the checksum of the object, which this is not.</summary>
    /// <inheritdoc cref="Of" path="/exception"/>
    public static ContentExpectation OfDescription(IReadOnlyDictionary<string, string> headers, Trailer? trailer) => Of(
        headers.Where(header => header.Key.Equals(Md5Header, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(StringComparer.OrdinalIgnoreCase),
        trailer);

    /// <summary>Of the headers of a request, or the fields of a form.</summary>
    /// <exception cref="S3Exception">They contradict each other, or cannot be read.</exception>
    public static ContentExpectation Of(IReadOnlyDictionary<string, string> headers, Trailer? trailer)
    {
        var expectation = new ContentExpectation { Md5 = ReadMd5(headers.GetValueOrDefault(Md5Header)) };
        ChecksumAlgorithm? found = null;
        foreach (var algorithm in ChecksumNames.All)
        {
            var header = algorithm.HeaderOf();
            var value = headers.GetValueOrDefault(header);
            if (value is null && trailer?.Announced.Contains(header, StringComparer.Ordinal) != true) continue;
            if (found is not null || (value is not null && trailer?.Announced.Contains(header, StringComparer.Ordinal) == true))
                throw S3Error.InvalidRequest.Because("Only one x-amz-checksum header or trailer is allowed.");
            found = algorithm;
            expectation = expectation with
            {
                Algorithm = algorithm,
                Checksum = value is null
                    ? null
                    : algorithm.Decode(value) ?? throw S3Error.InvalidRequest.Because($"The value of {header} is not valid."),
                Trailer = value is null ? trailer : null,
            };
        }

        RefuseUnknown(headers.Keys.Concat(trailer?.Announced ?? []));
        if (headers.GetValueOrDefault("x-amz-sdk-checksum-algorithm") is { } named && found is { } one && ChecksumNames.Parse(named) != one)
            throw S3Error.InvalidRequest.Because("x-amz-sdk-checksum-algorithm names another checksum than is given.");
        return expectation;
    }

    // A checksum that cannot be verified is not taken for one that is right.
    static void RefuseUnknown(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            var isKnown = ChecksumNames.All.Any(known => known.HeaderOf().Equals(name, StringComparison.OrdinalIgnoreCase));
            if (!isKnown && ChecksumNames.IsValue(name)) throw S3Error.InvalidRequest.Because($"The checksum {name} is not known.");
        }
    }

    static byte[]? ReadMd5(string? text)
    {
        if (text is null) return null;
        Span<byte> bytes = stackalloc byte[64];
        return text.Length <= 48 && Convert.TryFromBase64String(text, bytes, out var length) && length == 16
            ? bytes[..length].ToArray()
            : throw S3Error.InvalidDigest.Exception();
    }
}
