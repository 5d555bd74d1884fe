using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>Measures requests to files: how long they take, until their answer has ended.</summary>
sealed class FileMeter(RequestDelegate next, FileRequests requests, TimeProvider clock)
{
    /// <summary>What the operations are called.</summary>
    public const string Read = "read", Write = "write", Delete = "delete", List = "list", Other = "other";

    const string Protocol = "api";

    static readonly object Name = new();

    public async Task InvokeAsync(HttpContext context)
    {
        var begin = clock.GetTimestamp();
        await next(context);
        if (context.Items[Name] is not string operation) return;
        var hasFailed = context.Response.StatusCode >= StatusCodes.Status400BadRequest || context.RequestAborted.IsCancellationRequested;
        requests.Add(Protocol, operation, clock.GetElapsedTime(begin), hasFailed);
    }

    /// <summary>Says what a request is; the last word counts.</summary>
    public static void Call(HttpContext context, string operation) => context.Items[Name] = operation;

    /// <summary>Says what a request for a route is, by what the route is called.</summary>
    public static void Call(HttpContext context, Endpoint route) => Call(
        context,
        route.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName switch
        {
            "readFile" or "getUpload" => Read,
            "createFile" or "changeFile" or "beginUpload" or "putPart" or "completeUpload" => Write,
            "deleteFile" or "abortUpload" => Delete,
            "listUploads" or "listParts" => List,
            _ => Other,
        });
}
