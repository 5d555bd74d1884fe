using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Files.Bench;

/// <summary>Signs requests by version 4, in the header.</summary>
/// <param name="keyId">The id of the key.</param>
/// <param name="secret">Its secret.</param>
sealed class S3Signer(string keyId, string secret)
{
    public const string Unsigned = "UNSIGNED-PAYLOAD";

    const string Region = "us-east-1", Names = "host;x-amz-content-sha256;x-amz-date";

    readonly Lock gate = new();
    string day = "";
    byte[] dayKey = [];

    /// <summary>The lines that a request has to have.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path, of letters that are sent as they are.</param>
    /// <param name="query">The query as it is signed: sorted, encoded, each with a value.</param>
    /// <param name="port">Of the server.</param>
    /// <param name="payload">SHA-256 of the body in hexadecimal digits, or <see cref="Unsigned"/>.</param>
    public string Sign(string method, string path, string query, int port, string payload)
    {
        var time = DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{Region}/s3/aws4_request";
        var canonical = $"{method}\n{path}\n{query}\nhost:127.0.0.1:{port}\nx-amz-content-sha256:{payload}\n"
            + $"x-amz-date:{time}\n\n{Names}\n{payload}";
        var text = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{HexOf(canonical)}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(KeyOf(time[..8]), Encoding.ASCII.GetBytes(text)));
        return $"x-amz-date: {time}\r\nx-amz-content-sha256: {payload}\r\n"
            + $"Authorization: AWS4-HMAC-SHA256 Credential={keyId}/{scope}, SignedHeaders={Names}, Signature={signature}\r\n";
    }

    static string HexOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    byte[] KeyOf(string date)
    {
        lock (gate)
        {
            if (day == date) return dayKey;
            var key = Encoding.ASCII.GetBytes("AWS4" + secret);
            foreach (var part in (string[])[date, Region, "s3", "aws4_request"])
                key = HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(part));
            (day, dayKey) = (date, key);
            return key;
        }
    }
}
