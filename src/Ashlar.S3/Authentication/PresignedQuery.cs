namespace Ashlar.S3;

/// <summary>The parameters of a request that carries its signature in the query.</summary>
sealed record PresignedQuery(SignatureScope Scope, DateTimeOffset SignedAt, TimeSpan ValidFor, string[] SignedHeaders, string SignatureText)
{
    public const string Signature = "X-Amz-Signature";
    public const string Algorithm = "X-Amz-Algorithm";
    public const string Credential = "X-Amz-Credential";

    public const string ContentHash = "X-Amz-Content-Sha256";

    const string Date = "X-Amz-Date", Expires = "X-Amz-Expires", Headers = "X-Amz-SignedHeaders", Token = "X-Amz-Security-Token";

    static readonly HashSet<string> Own =
        new(StringComparer.OrdinalIgnoreCase) { Signature, Algorithm, Credential, ContentHash, Date, Expires, Headers, Token };

    /// <summary>Longest time that a signature holds: seven days.</summary>
    const int MaxSeconds = 604_800;

    /// <summary>Whether a request claims to be signed so, in full or in part.</summary>
    public static bool IsIn(RequestTarget target) => target.Query.Any(parameter =>
        parameter.Name.StartsWith("X-Amz-", StringComparison.OrdinalIgnoreCase)
            && (parameter.Name.Equals(Signature, StringComparison.OrdinalIgnoreCase)
                || parameter.Name.Equals(Algorithm, StringComparison.OrdinalIgnoreCase)
                || parameter.Name.Equals(Credential, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Whether a parameter is one of the signature.</summary>
    public static bool IsOwn(string parameter) => Own.Contains(parameter);

    /// <summary>Reads the parameters.</summary>
    /// <exception cref="S3Exception">One is missing, there twice, or not valid.</exception>
    public static PresignedQuery Parse(RequestTarget target)
    {
        if (One(target, Algorithm) != SignatureScope.Algorithm)
            throw Malformed($"{Algorithm} has to be {SignatureScope.Algorithm}.");
        if (target.Query.Any(parameter => parameter.Name.Equals(Token, StringComparison.OrdinalIgnoreCase)))
            throw S3Error.InvalidToken.Exception();
        var scope = SignatureScope.Parse(One(target, Credential)) ?? throw Malformed($"{Credential} is not valid.");
        var time = SignatureScope.ParseTime(One(target, Date)) ?? throw Malformed($"{Date} is not valid.");
        var expires = One(target, Expires);
        if (!int.TryParse(expires, System.Globalization.NumberStyles.None, null, out var seconds) || seconds is < 1 or > MaxSeconds)
            throw Malformed($"{Expires} has to be from 1 to {MaxSeconds}.");
        var headers = SignedHeaderList.Parse(One(target, Headers)) ?? throw Malformed($"{Headers} is not valid.");
        return new(scope, time, TimeSpan.FromSeconds(seconds), headers, One(target, Signature));
    }

    static string One(RequestTarget target, string name)
    {
        string? found = null;
        foreach (var parameter in target.Query)
        {
            if (parameter.Name != name) continue;
            if (found is not null) throw Malformed($"{name} is there twice.");
            found = parameter.Value;
        }

        return found ?? throw Malformed($"{name} is missing.");
    }

    static S3Exception Malformed(string message) => S3Error.AuthorizationQueryParametersError.Because(message);
}
