using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Storage;
using Ashlar.Transport;
using Ashlar.Volumes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>Makes every failure of a request a problem object (RFC 9457).</summary>
sealed class ProblemWriter(RequestDelegate next, ServerLog log, ReportLimiter limiter)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is not { HasStarted: false, ContentLength: null, ContentType: null }) return;
            if (context.Response.StatusCode == StatusCodes.Status404NotFound)
                await WriteAsync(context, ProblemKind.NoSuchRoute, $"there is no {context.Request.Path}");
            else if (context.Response.StatusCode >= StatusCodes.Status400BadRequest)
                await WriteStatusAsync(context, context.Response.StatusCode);
        }
        catch (Exception e) when (!context.Response.HasStarted && !(context.RequestAborted.IsCancellationRequested && IsLeaving(e)))
        {
            var (kind, detail) = Describe(e, context);
            if (IsFailure(kind) && limiter.Admit()) Log(context, e);
            // Of an aborted request the log gets the status; nobody reads more.
            if (context.RequestAborted.IsCancellationRequested) context.Response.StatusCode = kind.Status;
            else await WriteAsync(context, kind, detail, (e as ApiException)?.Hint);
        }
    }

    /// <summary>
    /// Whether it is the server's own. Who asked is told of a want of space, and pools say themselves when it gets short.
    /// </summary>
    static bool IsFailure(ProblemKind kind) =>
        kind.Status >= StatusCodes.Status500InternalServerError && kind != ProblemKind.Unavailable
        && kind != ProblemKind.NoSpace && kind != ProblemKind.QuotaExceeded;

    /// <summary>Whether a request that ended before its time may have failed by that alone; the web server knows.</summary>
    static bool IsLeaving(Exception error) => error is OperationCanceledException or IOException;

    static Task WriteStatusAsync(HttpContext context, int status) =>
        WriteAsync(context, ProblemKind.InvalidRequest.WithStatus(status), RequestProblems.Describe(status, context));

    static (ProblemKind Kind, string Detail) Describe(Exception error, HttpContext context) => error switch
    {
        ApiException e => (e.Kind, e.Message),
        BadHttpRequestException e => (ProblemKind.InvalidRequest.WithStatus(e.StatusCode), RequestProblems.Describe(e, context)),
        VolumeNameException { Problem: VolumeNameProblem.Unknown } e => (ProblemKind.VolumeNotFound, e.Message),
        VolumeNameException e => (ProblemKind.InvalidName, e.Message),
        SnapshotException e => (KindOf(e.Problem), e.Message),
        SnapshotStreamException e => (KindOf(e.Problem), e.Message),
        // Its message goes on with names of parameters.
        ArgumentException e => (ProblemKind.InvalidSize, e.Message.Split(" (Parameter ")[0]),
        DeviceFullException e => (ProblemKind.NoSpace, e.Message),
        StorageException { Kind: StorageErrorKind.NoSpace } e => (ProblemKind.NoSpace, e.Message),
        PoolGrowthException e => (ProblemKind.NotSupported, e.Message),
        CorruptDataException e => (ProblemKind.Corrupt, e.Message),
        AshlarException e when FileProblems.KindOf(e) is { } kind => (kind, e.Message),
        AshlarException e => (ProblemKind.Failed, e.Message),
        // Pools are closed when the server stops, or when they go; who still works has had his time.
        ObjectDisposedException => (ProblemKind.Unavailable, "the pool was closed, or the server is stopping"),
        // What happened stands in the log; an outsider learns no stack traces.
        _ => (ProblemKind.Failed, "unexpected; the server's log says more"),
    };

    static ProblemKind KindOf(SnapshotProblem problem) => problem switch
    {
        SnapshotProblem.InvalidName => ProblemKind.InvalidName,
        SnapshotProblem.NameTaken => ProblemKind.Exists,
        SnapshotProblem.Unknown => ProblemKind.SnapshotNotFound,
        SnapshotProblem.InUse => ProblemKind.Needed,
        SnapshotProblem.NotSupported => ProblemKind.NotSupported,
        _ => ProblemKind.Failed,
    };

    static ProblemKind KindOf(SnapshotStreamProblem problem) => problem switch
    {
        SnapshotStreamProblem.AlreadyThere => ProblemKind.AlreadyImported,
        SnapshotStreamProblem.WrongParent => ProblemKind.WrongParent,
        SnapshotStreamProblem.VolumeChanged => ProblemKind.Diverged,
        _ => ProblemKind.InvalidStream,
    };

    void Log(HttpContext context, Exception error)
    {
        var address = Caller.Of(context);
        log.Write(new(
            LogLevel.Error,
            LogEvents.RequestFailed,
            $"api: {context.Request.Method} {context.Request.Path} of {address} failed: {FailureLine.Of(error)}")
        {
            Protocol = "api",
            Address = address,
        });
    }

    static async Task WriteAsync(HttpContext context, ProblemKind kind, string detail, string? hint = null)
    {
        // Headers that belong to the failure, such as Allow, stay.
        context.Response.StatusCode = kind.Status;
        if (context.Features.Get<IHttpResponseBodyFeature>() is null || HttpMethods.IsHead(context.Request.Method)) return;
        var problem = new Problem { Type = kind.Type, Title = kind.Title, Status = kind.Status, Detail = detail, Hint = hint };
        await context.Response.WriteAsJsonAsync(problem, ApiJson.Strict.Problem, "application/problem+json");
    }
}
