using System.Net;
using System.Text;
using Ashlar.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.S3;

/// <summary>From the socket's request to its answer, and from whatever fails to an error in XML.</summary>
sealed class RequestHandler(S3Services services, Dispatcher dispatcher)
{
    public async Task HandleAsync(HttpContext http)
    {
        var begun = services.Options.TimeProvider.GetTimestamp();
        var requestId = services.Options.Entropy.NextUInt64().ToString("X16");
        http.Items[nameof(S3Request.RequestId)] = requestId;
        http.Response.Headers["x-amz-request-id"] = requestId;
        if (http.Request.ContentLength == 0) CloseIfAsked(http); // Nobody is told to go on with nothing.
        var resource = http.Request.Path.Value ?? "/";
        S3Request? request = null;
        try
        {
            var target = RequestTarget.Parse(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
            resource = target.Path;
            request = Read(http, target);
            (request.Limits, request.BegunAt) = (services.Limits, begun);
            await dispatcher.RunAsync(request);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Half of a connection may still be open: what did not end must not look as if it had.
            http.Abort();
        }
        catch (Exception failure)
        {
            await FailAsync(http, failure, resource, requestId);
        }

        var took = services.Options.TimeProvider.GetElapsedTime(begun);
        var status = http.RequestAborted.IsCancellationRequested ? StatusCodes.Status499ClientClosedRequest : http.Response.StatusCode;
        services.Options.Answered?.Invoke(new(request?.Route.Work ?? S3Work.Other, status, took));
        if (services.Options.Log is not { } log || !services.Options.Hears(S3EventKind.Answered)) return;
        log(new(
            S3EventKind.Answered, $"{LineOf(http)}: {http.Response.StatusCode} in {took.TotalMilliseconds:F1} ms",
            requestId, AddressOf(http)));
    }

    S3Request Read(HttpContext http, RequestTarget target)
    {
        var path = target.Path.AsSpan(1);
        if (BucketOfHost(http.Request.Host) is { } bucket) return new(http, target, bucket, path.ToString()) { IsBucketInHost = true };
        if (path.IsEmpty) return new(http, target, null, "");
        var slash = path.IndexOf('/');
        return slash < 0
            ? new(http, target, path.ToString(), "") : new(http, target, path[..slash].ToString(), path[(slash + 1)..].ToString());
    }

    // Where the host is known by a name, what stands in front of it is a bucket.
    string? BucketOfHost(HostString host)
    {
        foreach (var domain in services.Options.Domains)
        {
            var end = "." + domain;
            if (host.Host.Length > end.Length && host.Host.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return host.Host[..^end.Length];
        }

        return null;
    }

    async Task FailAsync(HttpContext http, Exception failure, string resource, string requestId)
    {
        var known = StoreFailures.Translate(failure) ?? new S3Exception(S3Error.InternalError, S3Error.InternalError.Message, failure);
        if (known.Error.Status >= StatusCodes.Status500InternalServerError && known.Error != S3Error.NotImplemented)
        {
            var cause = known.InnerException is null ? known.Message : known.InnerException.ToString();
            // What follows the first line is set in, whatever names it has: no line of it looks like one of its own.
            cause = cause.ReplaceLineEndings("\n  ");
            services.Options.Log?.Invoke(new(S3EventKind.Failed, $"{LineOf(http)}: {cause}", requestId, AddressOf(http)));
        }

        if (http.Response.HasStarted)
        {
            // What was sent is not all: the client must see that.
            http.Abort();
            return;
        }

        var cors = http.Response.Headers.Where(header => header.Key.StartsWith(
            "Access-Control-", StringComparison.OrdinalIgnoreCase)).ToArray();
        http.Response.Clear();
        http.Response.Headers["x-amz-request-id"] = requestId;
        CloseIfAsked(http);
        foreach (var (name, value) in cors) http.Response.Headers[name] = value;
        try
        {
            await ErrorAnswer.SendAsync(http, known, resource, requestId);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody hears it.
        }
        catch (Exception unsent)
        {
            services.Options.Log?.Invoke(new(
                S3EventKind.Failed, $"{LineOf(http)}: {unsent.ToString().ReplaceLineEndings("\n  ")}", requestId, AddressOf(http)));
            http.Abort();
        }
    }

    // To whoever asked whether to go on, and is not told to, this is the last answer on the connection: botocore takes the next one for
    // this one, and waits a minute for a body.
    static void CloseIfAsked(HttpContext http)
    {
        if (http.Request.Headers.Expect.Count > 0) http.Response.Headers.Connection = "close";
    }

    // As it was sent, where a line end is three letters, and without the query, which has signatures.
    static string LineOf(HttpContext http)
    {
        var raw = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        if (raw.IndexOf('?') is var mark and >= 0) raw = raw[..mark];
        var text = new StringBuilder($"{http.Request.Method} ");
        foreach (var rune in raw.EnumerateRunes())
        {
            if (rune.Value is > ' ' and <= '~') text.Append((char)rune.Value);
            else text.Append(UriText.Encode(rune.ToString()));
        }

        return text.ToString();
    }

    static IPAddress? AddressOf(HttpContext http) => http.Connection.RemoteIpAddress;
}
