using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.S3.Tests;

/// <summary>Signs requests as clients do; written by the specification, and not with what it tests.</summary>
sealed class TestSigner(string keyId, string secret, Func<DateTimeOffset> clock, string region = "us-east-1")
{
    public const string Unsigned = "UNSIGNED-PAYLOAD", Chunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        ChunksWithTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", UnsignedWithTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

    public string KeyId { get; } = keyId;

    public string Secret { get; } = secret;

    public DateTimeOffset Now => clock();

    /// <summary>Another clock, another secret or another region.</summary>
    public TestSigner But(string? keyId = null, string? secret = null, Func<DateTimeOffset>? clock1 = null, string? region1 = null) =>
        new(keyId ?? KeyId, secret ?? Secret, clock1 ?? clock, region1 ?? region);

    /// <summary>Signs in the header.</summary>
    public S3Call Sign(S3Call call, string? payload = null)
    {
        payload ??= Hash(call.Body);
        if (call.Header("x-amz-date") is null) call = call.With("x-amz-date", Time(Now));
        if (call.Header("x-amz-content-sha256") is null) call = call.With("x-amz-content-sha256", payload);
        var time = call.Header("x-amz-date")!;
        var scope = Scope(time);
        var names = SignedNames(call);
        var signature = Signature(call, time, scope, names, payload);
        return call.With(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={KeyId}/{scope}, SignedHeaders={string.Join(';', names)}, Signature={signature}");
    }

    /// <summary>Signs in the query.</summary>
    public S3Call Presign(S3Call call, int seconds = 600, string payload = Unsigned)
    {
        var time = Time(Now);
        var scope = Scope(time);
        var names = SignedNames(call);
        call = call
            .Ask("X-Amz-Algorithm", "AWS4-HMAC-SHA256").Ask("X-Amz-Credential", $"{KeyId}/{scope}").Ask("X-Amz-Date", time)
            .Ask("X-Amz-Expires", seconds.ToString(CultureInfo.InvariantCulture)).Ask("X-Amz-SignedHeaders", string.Join(';', names));
        return call.Ask("X-Amz-Signature", Signature(call, time, scope, names, payload));
    }

    /// <summary>Signs a body in chunks, with a trailer if it has fields.</summary>
    public S3Call SignChunks(S3Call call, int chunkBytes = 8192, params (string Name, string Value)[] trailer)
    {
        var content = call.Body;
        var payload = trailer.Length == 0 ? Chunks : ChunksWithTrailer;
        call = call.With("x-amz-decoded-content-length", content.Length.ToString(CultureInfo.InvariantCulture)).With(
            "Content-Encoding", "aws-chunked");
        if (trailer.Length > 0) call = call.With("x-amz-trailer", string.Join(',', trailer.Select(field => field.Name)));
        call = Sign(call with { Body = [] }, payload);
        var previous = call.Header("Authorization")!.Split("Signature=")[1];
        var time = call.Header("x-amz-date")!;
        var body = new MemoryStream();
        for (var at = 0; at <= content.Length; at += chunkBytes)
        {
            var chunk = content.AsSpan(at, Math.Min(chunkBytes, content.Length - at));
            previous = Hmac(Key(time), $"AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{Scope(time)}\n{previous}\n{Hash([])}\n{Hash(chunk)}");
            body.Write(Encoding.ASCII.GetBytes($"{chunk.Length:x};chunk-signature={previous}\r\n"));
            if (chunk.Length == 0) break;
            body.Write(chunk);
            body.Write("\r\n"u8);
            if (at + chunkBytes < content.Length) continue;
            previous = Hmac(Key(time), $"AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{Scope(time)}\n{previous}\n{Hash([])}\n{Hash([])}");
            body.Write(Encoding.ASCII.GetBytes($"0;chunk-signature={previous}\r\n"));
            break;
        }

        if (trailer.Length > 0)
        {
            var canonical = string.Concat(trailer.Select(field => $"{field.Name}:{field.Value}\n"));
            var signature = Hmac(
                Key(time), $"AWS4-HMAC-SHA256-TRAILER\n{time}\n{Scope(time)}\n{previous}\n{Hash(Encoding.ASCII.GetBytes(canonical))}");
            foreach (var (name, value) in trailer) body.Write(Encoding.ASCII.GetBytes($"{name}:{value}\r\n"));
            body.Write(Encoding.ASCII.GetBytes($"x-amz-trailer-signature:{signature}\r\n"));
        }

        body.Write("\r\n"u8);
        return call with { Body = body.ToArray() };
    }

    /// <summary>Sends a body in chunks that are not signed, with a trailer.</summary>
    public S3Call SignUnsignedChunks(S3Call call, int chunkBytes = 8192, params (string Name, string Value)[] trailer)
    {
        var content = call.Body;
        call = call.With("x-amz-decoded-content-length", content.Length.ToString(CultureInfo.InvariantCulture)).With(
            "Content-Encoding", "aws-chunked");
        if (trailer.Length > 0) call = call.With("x-amz-trailer", string.Join(',', trailer.Select(field => field.Name)));
        call = Sign(call with { Body = [] }, UnsignedWithTrailer);
        var body = new MemoryStream();
        for (var at = 0; at < content.Length; at += chunkBytes)
        {
            var chunk = content.AsSpan(at, Math.Min(chunkBytes, content.Length - at));
            body.Write(Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"));
            body.Write(chunk);
            body.Write("\r\n"u8);
        }

        body.Write("0\r\n"u8);
        foreach (var (name, value) in trailer) body.Write(Encoding.ASCII.GetBytes($"{name}:{value}\r\n"));
        body.Write("\r\n"u8);
        return call with { Body = body.ToArray() };
    }

    /// <summary>Fields of a form with its policy.</summary>
    public Dictionary<string, string> SignForm(string policy)
    {
        var time = Time(Now);
        var text = Convert.ToBase64String(Encoding.UTF8.GetBytes(policy));
        return new(StringComparer.Ordinal)
        {
            ["policy"] = text,
            ["x-amz-algorithm"] = "AWS4-HMAC-SHA256",
            ["x-amz-credential"] = $"{KeyId}/{Scope(time)}",
            ["x-amz-date"] = time,
            ["x-amz-signature"] = Hmac(Key(time), text),
        };
    }

    public string Scope(string time) => $"{time[..8]}/{region}/s3/aws4_request";

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    public static string Encode(string text, bool keepsSlash)
    {
        var encoded = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            var isPlain = one is (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'a' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9')
                or (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';
            encoded.Append(isPlain || (keepsSlash && one == (byte)'/') ? ((char)one).ToString() : $"%{one:X2}");
        }

        return encoded.ToString();
    }

    public static string Hash(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>What entity tags are made of.</summary>
#pragma warning disable CA5351 // Whatever it is worth.
    public static byte[] Md5(ReadOnlySpan<byte> content) => MD5.HashData(content);
#pragma warning restore CA5351

    static string[] SignedNames(S3Call call) =>
    [
        .. call.Headers.Select(header => header.Name.ToLowerInvariant())
            .Where(name => name is "host" or "content-type" or "content-md5" || name.StartsWith("x-amz-", StringComparison.Ordinal))
            .Distinct().Order(StringComparer.Ordinal),
    ];

    string Signature(S3Call call, string time, string scope, string[] names, string payload)
    {
        var query = string.Join('&', call.Query.Select(
            parameter => Encode(parameter.Name, false) + "=" + Encode(parameter.Value, false)).Order(StringComparer.Ordinal));
        var headers = string.Concat(names.Select(name => $"{name}:{call.Header(name)}\n"));
        var canonical = $"{call.Method}\n{Encode(call.Path, true)}\n{query}\n{headers}\n{string.Join(';', names)}\n{payload}";
        return Hmac(Key(time), $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonical))}");
    }

    byte[] Key(string time)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + Secret);
        foreach (var part in Scope(time).Split('/')) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return key;
    }

    static string Hmac(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
