using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>What browsers are told about pages of other origins.</summary>
sealed class CorsAnswers(S3Services services)
{
    const string Origin = "Origin", WantedMethod = "Access-Control-Request-Method", WantedHeaders = "Access-Control-Request-Headers";

    /// <summary>
    /// Answers the question that a browser asks first. It comes without a proof of who will ask, so any bucket of the name may allow it:
    /// that gives nobody a right.
    /// </summary>
    public async Task PreflightAsync(S3Request request)
    {
        var origin = request.Header(Origin) ?? throw S3Error.InvalidRequest.Because("The header Origin is missing.");
        var method = request.Header(WantedMethod) ?? throw S3Error.InvalidRequest.Because($"The header {WantedMethod} is missing.");
        var headers = (request.Header(WantedHeaders)
            ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (request.Bucket is not { } bucket || !BucketName.IsValid(bucket)) throw Forbidden();
        foreach (var customer in await services.OpenBuckets.FindMarkedAsync(bucket, request.Cancelled))
        {
            var entry = await services.OpenBuckets.DescribeAsync(customer, bucket, request.Cancelled);
            if (entry is null || Find(entry.Properties, origin, method, headers) is not { } rule) continue;
            Write(request.Response, rule, origin);
            request.Response.Headers.AccessControlAllowMethods = string.Join(", ", rule.Methods);
            if (headers.Length > 0) request.Response.Headers.AccessControlAllowHeaders = string.Join(", ", headers);
            if (rule.MaxAgeSeconds is { } age) request.Response.Headers.AccessControlMaxAge = age.ToString();
            request.Response.StatusCode = StatusCodes.Status200OK;
            return;
        }

        throw Forbidden();
    }

    /// <summary>Tells a browser whether a page may see an answer.</summary>
    public static void Add(S3Request request, FileProperties bucket)
    {
        if (request.Header(Origin) is { } origin && Find(bucket, origin, request.Http.Request.Method, []) is { } rule)
            Write(request.Response, rule, origin);
    }

    static CorsRules.Rule? Find(FileProperties bucket, string origin, string method, IReadOnlyList<string> headers) =>
        bucket.TryGetValue(CorsRules.Property, out var xml) ? CorsRules.OfProperty(xml).Find(origin, method, headers) : null;

    static void Write(HttpResponse response, CorsRules.Rule rule, string origin)
    {
        var isAny = rule.Origins.Contains("*");
        response.Headers.AccessControlAllowOrigin = isAny ? "*" : origin;
        if (!isAny) response.Headers.AccessControlAllowCredentials = "true";
        if (rule.Exposed.Length > 0) response.Headers.AccessControlExposeHeaders = string.Join(", ", rule.Exposed);
        response.Headers.Vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    }

    static S3Exception Forbidden() => S3Error.AccessDenied.Because("No rule of the bucket allows this to pages of that origin.");
}
