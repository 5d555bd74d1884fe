using System.Text.Json;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Volumes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.Server;

/// <summary>Makes every failure of a request a problem object (RFC 9457).</summary>
sealed class ProblemWriter(RequestDelegate next, ServerLog log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (context.Response is not { HasStarted: false, ContentLength: null, ContentType: null }) return;
            if (context.Response.StatusCode == StatusCodes.Status404NotFound)
                await WriteAsync(context, ProblemKind.NoSuchRoute, $"there is no {context.Request.Path}").ConfigureAwait(false);
            else if (context.Response.StatusCode >= StatusCodes.Status400BadRequest)
                await WriteAsync(context, ProblemKind.InvalidRequest.WithStatus(context.Response.StatusCode), Reason(context))
                    .ConfigureAwait(false);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var (kind, detail) = Describe(e);
            if (kind.Status >= StatusCodes.Status500InternalServerError)
                log.Write($"api: {context.Request.Method} {context.Request.Path} failed: {(e is AshlarException ? e.Message : e.ToString())}");
            await WriteAsync(context, kind, detail).ConfigureAwait(false);
        }
    }

    static (ProblemKind Kind, string Detail) Describe(Exception error) => error switch
    {
        ApiException e => (e.Kind, e.Message),
        BadHttpRequestException { InnerException: JsonException e } => (ProblemKind.InvalidRequest, e.Message),
        BadHttpRequestException e => (ProblemKind.InvalidRequest.WithStatus(e.StatusCode), e.Message),
        VolumeNameException e => (ProblemKind.InvalidName, e.Message),
        ArgumentException e => (ProblemKind.InvalidSize, e.Message),
        DeviceFullException e => (ProblemKind.NoSpace, e.Message),
        StorageException { Kind: StorageErrorKind.NoSpace } e => (ProblemKind.NoSpace, e.Message),
        CorruptDataException e => (ProblemKind.Corrupt, e.Message),
        AshlarException e => (ProblemKind.Failed, e.Message),
        // What happened stands in the log; an outsider learns no stack traces.
        _ => (ProblemKind.Failed, "unexpected; the server's log says more"),
    };

    static string Reason(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Path} does not take {context.Request.Method}",
        StatusCodes.Status415UnsupportedMediaType => "the body must be application/json",
        var status => $"HTTP status {status}",
    };

    static async Task WriteAsync(HttpContext context, ProblemKind kind, string detail)
    {
        // Headers that belong to the failure, such as Allow, stay.
        context.Response.StatusCode = kind.Status;
        if (context.Features.Get<IHttpResponseBodyFeature>() is null || HttpMethods.IsHead(context.Request.Method)) return;
        var problem = new Problem { Type = kind.Type, Title = kind.Title, Status = kind.Status, Detail = detail };
        await context.Response.WriteAsJsonAsync(problem, ApiJson.Strict.Problem, "application/problem+json").ConfigureAwait(false);
    }
}
