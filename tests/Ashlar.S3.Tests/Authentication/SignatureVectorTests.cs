using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3.Tests.Authentication;

/// <summary>Signatures that the documentation of S3 has as examples.</summary>
public sealed class SignatureVectorTests
{
    const string Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Host = "examplebucket.s3.amazonaws.com", Time = "20130524T000000Z";
    const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    static readonly SignatureScope Scope = new("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3");

    [Fact]
    public void A_request_with_a_range_is_signed_as_the_example() => AssertSigned(
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        "GET", "/test.txt", EmptyHash,
        ("host", Host), ("range", "bytes=0-9"), ("x-amz-content-sha256", EmptyHash), ("x-amz-date", Time));

    [Fact]
    public void An_upload_with_a_dollar_in_its_key_is_signed_as_the_example()
    {
        const string hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        AssertSigned(
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            "PUT", "/test$file.text", hash,
            ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("host", Host), ("x-amz-content-sha256", hash), ("x-amz-date", Time),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"));
    }

    [Fact]
    public void A_subresource_without_a_value_is_signed_as_the_example() => AssertSigned(
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        "GET", "/?lifecycle", EmptyHash,
        ("host", Host), ("x-amz-content-sha256", EmptyHash), ("x-amz-date", Time));

    [Fact]
    public void A_listing_is_signed_as_the_example() => AssertSigned(
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        "GET", "/?max-keys=2&prefix=J", EmptyHash,
        ("host", Host), ("x-amz-content-sha256", EmptyHash), ("x-amz-date", Time));

    [Fact]
    public void A_presigned_request_is_signed_as_the_example() => AssertSigned(
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        "GET",
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        Payload.UnsignedText,
        ("host", Host));

    [Fact]
    public async Task A_body_in_signed_chunks_is_read_as_the_example()
    {
        var signatures = new ChunkSignatures(
            new SigningKey(Secret, Scope), Scope, Time, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
        var body = new AwsChunkedBody(
            new MemoryStream(Chunks(
                (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
                (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
                (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"))),
            signatures, 66_560, null);
        Assert.Equal(66_560, await LengthOfAsync(body));
    }

    [Fact]
    public async Task A_body_with_a_signed_trailer_is_read_as_the_example()
    {
        var signatures = new ChunkSignatures(
            new SigningKey(Secret, Scope), Scope, Time, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
        var trailer = new Trailer("x-amz-checksum-crc32c");
        var body = new AwsChunkedBody(
            new MemoryStream(
            [
                .. Chunks(
                    (65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
                    (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
                    (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"))[..^2],
                .. "x-amz-checksum-crc32c:sOO8/Q==\r\n"u8,
                .. "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"u8,
            ]),
            signatures, 66_560, trailer);
        Assert.Equal(66_560, await LengthOfAsync(body));
        Assert.Equal("sOO8/Q==", trailer.Find("x-amz-checksum-crc32c"));
    }

    static void AssertSigned(string signature, string method, string target, string payload, params (string Name, string Value)[] headers)
    {
        var given = new HeaderDictionary();
        foreach (var (name, value) in headers) given[name] = value;
        var names = headers.Select(header => header.Name).ToArray();
        var canonical = CanonicalRequest.Format(method, RequestTarget.Parse(target), given, Host, names, payload);
        Assert.Equal(signature, new SigningKey(Secret, Scope).SignHex(CanonicalRequest.StringToSign(Time, Scope, canonical)));
    }

    static byte[] Chunks(params (int Length, string Signature)[] chunks)
    {
        var body = new MemoryStream();
        foreach (var (length, signature) in chunks)
        {
            body.Write(Encoding.ASCII.GetBytes($"{length:x};chunk-signature={signature}\r\n"));
            body.Write(Encoding.ASCII.GetBytes(new string('a', length)));
            body.Write("\r\n"u8);
        }

        return body.ToArray();
    }

    static async Task<long> LengthOfAsync(Stream body)
    {
        var (buffer, length) = (new byte[10_000], 0L);
        while (await body.ReadAsync(buffer) is var read and > 0)
        {
            Assert.False(buffer.AsSpan(0, read).ContainsAnyExcept((byte)'a'));
            length += read;
        }

        return length;
    }
}
