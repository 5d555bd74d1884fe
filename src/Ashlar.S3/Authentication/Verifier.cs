using System.Globalization;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Who asks, and how what is sent is to be read.</summary>
sealed record Proof(Caller Caller, Payload Payload);

/// <summary>
/// The one place where it is decided who asks, for every form of signature. It denies what it does not know: whoever calls gets a proof or
/// an exception.
/// </summary>
/// <remarks>
/// A key that is not known and a secret that is wrong get the same answer after the same work, so that keys cannot be guessed one by one.
/// </remarks>
sealed class Verifier(IUsers users, TimeProvider clock, string region)
{
    /// <summary>What has the token of a session, in a header or a form.</summary>
    public const string TokenName = "x-amz-security-token";

    const string Service = "s3";

    // Signs for keys that are not known; nobody's secret.
    static readonly string NobodysSecret = new('-', 40);

    static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    readonly SigningKeys keys = new();

    /// <summary>Whether a request shows any proof at all.</summary>
    public static bool ShowsProof(IHeaderDictionary headers, RequestTarget target) =>
        headers.ContainsKey("Authorization") || PresignedQuery.IsIn(target);

    /// <summary>Verifies the signature of a request, in its header or its query.</summary>
    /// <exception cref="S3Exception">It proves nothing.</exception>
    public Task<Proof> VerifyAsync(HttpRequest request, RequestTarget target, CancellationToken cancellationToken)
    {
        var (inHeader, inQuery) = (request.Headers.ContainsKey("Authorization"), PresignedQuery.IsIn(target));
        if (inHeader && inQuery)
            throw S3Error.InvalidArgument.Because("The request is signed in its header and in its query; only one is allowed.");
        if (request.Headers.ContainsKey(TokenName)) throw S3Error.InvalidToken.Exception();
        if (inHeader) return VerifyHeaderAsync(request, target, cancellationToken);
        return inQuery ? VerifyQueryAsync(request, target, cancellationToken) : throw S3Error.AccessDenied.Exception();
    }

    /// <summary>Verifies the policy of a form: what is signed is the policy itself.</summary>
    /// <exception cref="S3Exception">It proves nothing.</exception>
    public async Task<Caller> VerifyFormAsync(
        string policy, string algorithm, string credential, string time, string signature, CancellationToken cancellationToken)
    {
        if (signature.Length == 0) throw S3Error.InvalidArgument.Because("x-amz-signature is missing.");
        if (algorithm != SignatureScope.Algorithm)
            throw S3Error.InvalidArgument.Because($"x-amz-algorithm has to be {SignatureScope.Algorithm}.");
        var scope = SignatureScope.Parse(credential) ?? throw S3Error.InvalidArgument.Because("x-amz-credential is not valid.");
        var signedAt = SignatureScope.ParseTime(time) ?? throw S3Error.InvalidArgument.Because("x-amz-date is not valid.");
        CheckScope(scope, signedAt, S3Error.InvalidArgument);
        if (signedAt > clock.GetUtcNow() + MaxSkew) throw S3Error.RequestTimeTooSkewed.Exception();
        return (await VerifyAsync(scope, _ => policy, [""], signature, cancellationToken)).Caller;
    }

    /// <summary>Asks again, now that the content has come, which may have taken days.</summary>
    /// <exception cref="S3Exception">The key, its user or the right is not there any more.</exception>
    public async Task ConfirmAsync(Caller caller, FileRights right, CancellationToken cancellationToken)
    {
        var key = await users.FindKeyAsync(caller.KeyId, cancellationToken);
        var isGood = key is not null && key.Customer == caller.Customer && key.User == caller.User
            && (key.ExpiresAt is not { } end || end > clock.GetUtcNow());
        var user = isGood ? await users.FindUserAsync(caller.Customer, caller.User, cancellationToken) : null;
        if (user is null || !user.Rights.HasFlag(right))
            throw S3Error.AccessDenied.Because("The key has expired, or lost its right, while the content came.");
    }

    async Task<Proof> VerifyHeaderAsync(HttpRequest request, RequestTarget target, CancellationToken cancellationToken)
    {
        if (request.Headers.Authorization.Count != 1)
            throw S3Error.AuthorizationHeaderMalformed.Because("There is more than one Authorization header.");
        if (string.IsNullOrWhiteSpace(request.Headers.Authorization.ToString())) throw S3Error.AccessDenied.Exception();
        var header = AuthorizationHeader.Parse(request.Headers.Authorization.ToString());
        var time = TimeOf(request);
        // First: a clock that is wrong by days is told so, and not that its credential is of another day.
        var skew = clock.GetUtcNow() - time;
        if (skew.Duration() > MaxSkew) throw S3Error.RequestTimeTooSkewed.Exception();
        CheckScope(header.Scope, time, S3Error.AuthorizationHeaderMalformed);
        CheckSignedHeaders(header.SignedHeaders, request.Headers);
        var declared = One(request, Payload.Header)
            ?? throw S3Error.InvalidRequest.Because($"The header {Payload.Header} is missing.");
        var payload = Payload.Parse(declared);
        return await VerifyAsync(request, target, header.Scope, time, header.SignedHeaders, header.Signature, payload, cancellationToken);
    }

    async Task<Proof> VerifyQueryAsync(HttpRequest request, RequestTarget target, CancellationToken cancellationToken)
    {
        var query = PresignedQuery.Parse(target);
        CheckScope(query.Scope, query.SignedAt, S3Error.AuthorizationQueryParametersError);
        CheckSignedHeaders(query.SignedHeaders, request.Headers);
        var payload = (One(request, Payload.Header) ?? target.Find(PresignedQuery.ContentHash)) is { } declared
            ? Payload.Parse(declared)
            : Payload.Unsigned;
        var proof = await VerifyAsync(
            request, target, query.Scope, query.SignedAt, query.SignedHeaders, query.SignatureText, payload, cancellationToken);
        var now = clock.GetUtcNow();
        if (query.SignedAt > now + MaxSkew) throw S3Error.AccessDenied.Because("The request is not valid yet.");
        return now <= query.SignedAt + query.ValidFor ? proof : throw S3Error.AccessDenied.Because("The request has expired.");
    }

    async Task<Proof> VerifyAsync(
        HttpRequest request, RequestTarget target, SignatureScope scope, DateTimeOffset signedAt, string[] signedHeaders, string signature,
        Payload payload, CancellationToken cancellationToken)
    {
        var time = SignatureScope.FormatTime(signedAt);
        var (caller, key) = await VerifyAsync(
            scope,
            host => CanonicalRequest.StringToSign(
                time, scope,
                CanonicalRequest.Format(request.Method, target, request.Headers, host, signedHeaders, payload.Hash)),
            HostsOf(request),
            signature,
            cancellationToken);
        if (payload.Kind is PayloadKind.SignedChunks or PayloadKind.SignedChunksWithTrailer)
            payload = payload with { Signatures = new(key, scope, time, signature) };
        return new(caller, payload);
    }

    async Task<(Caller Caller, SigningKey Key)> VerifyAsync(
        SignatureScope scope, Func<string, string> textFor, string[] hosts, string signature,
            CancellationToken cancellationToken)
    {
        var found = await users.FindKeyAsync(scope.KeyId, cancellationToken);
        var user = await users.FindUserAsync(found?.Customer ?? default, found?.User ?? NobodysSecret, cancellationToken);
        var key = keys.Of(found?.Secret ?? NobodysSecret, scope);
        var isSigned = false;
        // Who has signed for the first learns nothing by being answered sooner.
        for (var i = 0; i < hosts.Length && !isSigned; i++) isSigned = key.Verify(textFor(hosts[i]), signature);
        if (!isSigned || found is null || user is null) throw S3Error.SignatureDoesNotMatch.Exception();
        // Only who has the secret learns that it has expired.
        if (found.ExpiresAt is { } end && end <= clock.GetUtcNow()) throw S3Error.AccessDenied.Because("The access key has expired.");
        return (new(found.Customer, user.Name, user.Rights, false) { KeyId = found.Id }, key);
    }

    void CheckScope(SignatureScope scope, DateTimeOffset signedAt, S3Error error)
    {
        if (scope.Service != Service)
            throw error.Because($"The service of the credential is '{scope.Service}', and has to be '{Service}'.");
        if (scope.Region != region)
        {
            throw new S3Exception(error, $"The region of the credential is '{scope.Region}', and has to be '{region}'.")
            {
                Details = [("Region", region)],
            };
        }

        if (scope.Date != signedAt.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture))
            throw error.Because("The day of the credential is not that of the request.");
    }

    static void CheckSignedHeaders(IReadOnlyList<string> signed, IHeaderDictionary headers)
    {
        if (SignedHeaderList.FindMissing(signed, headers) is { } missing)
            throw new S3Exception(S3Error.AccessDenied, $"The header {missing} has to be signed, and is not.")
            {
                Details = [(
                "HeadersNotSigned", missing)]
            };
    }

    static DateTimeOffset TimeOf(HttpRequest request)
    {
        if (One(request, "x-amz-date") is { } own)
            return SignatureScope.ParseTime(own) ?? throw S3Error.AccessDenied.Because("The header x-amz-date is not valid.");
        var date = One(request, "Date") ?? throw S3Error.AccessDenied.Because("The request has neither x-amz-date nor Date.");
        return SignatureScope.ParseTime(date)
            ?? (DateTimeOffset.TryParseExact(date, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : throw S3Error.AccessDenied.Because("The header Date is not valid."));
    }

    // Proxies add the port that is the scheme's, or take it away.
    static string[] HostsOf(HttpRequest request)
    {
        var host = request.Host.Value ?? "";
        var port = request.IsHttps ? ":443" : ":80";
        return host.EndsWith(port, StringComparison.Ordinal) ? [host, host[..^port.Length]] : [host, host + port];
    }

    static string? One(HttpRequest request, string name)
    {
        var values = request.Headers[name];
        if (values.Count > 1) throw S3Error.InvalidRequest.Because($"The header {name} is there twice.");
        return values.Count == 0 ? null : values.ToString();
    }
}
