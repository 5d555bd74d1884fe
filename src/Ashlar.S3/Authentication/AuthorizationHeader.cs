namespace Ashlar.S3;

/// <summary>An Authorization header, read.</summary>
sealed record AuthorizationHeader(SignatureScope Scope, string[] SignedHeaders, string Signature)
{
    const int MaxLength = 4096;

    /// <summary>Reads the value of the header.</summary>
    /// <exception cref="S3Exception">It is none of the fourth version.</exception>
    public static AuthorizationHeader Parse(string value)
    {
        if (value.Length > MaxLength) throw Malformed("it is too long");
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || value[..space] != SignatureScope.Algorithm)
        {
            throw S3Error.InvalidRequest.Because(
                $"The authorization mechanism is not supported; use {SignatureScope.Algorithm} (signature version 4).");
        }

        string? credential = null, headers = null, signature = null;
        foreach (var part in value[(space + 1)..].Split(','))
        {
            var field = part.Trim(' ');
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) throw Malformed("a field has no value");
            var text = field[(equals + 1)..];
            switch (field[..equals])
            {
                case "Credential" when credential is null: credential = text; break;
                case "SignedHeaders" when headers is null: headers = text; break;
                case "Signature" when signature is null: signature = text; break;
                default: throw Malformed($"it has a field that is not known, or one twice");
            }
        }

        if (credential is null || headers is null || signature is null)
            throw Malformed("Credential, SignedHeaders or Signature is missing");
        return new(
            SignatureScope.Parse(credential) ?? throw Malformed("the credential is not KEY/DATE/REGION/s3/aws4_request"),
            SignedHeaderList.Parse(headers) ?? throw Malformed("the signed headers are not in lower case, sorted, and each there once"),
            signature);
    }

    static S3Exception Malformed(string why) =>
        S3Error.AuthorizationHeaderMalformed.Because($"The Authorization header cannot be read: {why}.");
}
