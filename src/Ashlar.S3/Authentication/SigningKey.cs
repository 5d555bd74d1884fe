using System.Security.Cryptography;
using System.Text;

namespace Ashlar.S3;

/// <summary>What signs for one scope, made of a secret.</summary>
sealed class SigningKey
{
    readonly byte[] key;

    public SigningKey(string secret, SignatureScope scope)
    {
        var date = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(scope.Date));
        var region = HMACSHA256.HashData(date, Encoding.UTF8.GetBytes(scope.Region));
        var service = HMACSHA256.HashData(region, Encoding.UTF8.GetBytes(scope.Service));
        key = HMACSHA256.HashData(service, "aws4_request"u8);
    }

    /// <summary>The signature of a text.</summary>
    public byte[] Sign(string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    public string SignHex(string text) => Convert.ToHexStringLower(Sign(text));

    /// <summary>Whether a signature is that of a text. It takes as long, wherever they differ.</summary>
    public bool Verify(string text, string signature)
    {
        var expected = Sign(text);
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var isSignature = IsSignature(signature)
            && Convert.FromHexString(signature, given, out _, out _) == System.Buffers.OperationStatus.Done;
        return CryptographicOperations.FixedTimeEquals(expected, given) & isSignature;
    }

    /// <summary>Whether a text has the form of a signature: in lower case, as it is made, so that each has one form.</summary>
    public static bool IsSignature(string text) =>
        text.Length == 2 * HMACSHA256.HashSizeInBytes && text.All(digit => char.IsAsciiDigit(digit) || digit is >= 'a' and <= 'f');
}
