using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/status, /livez and /readyz.</summary>
static class StatusRoutes
{
    /// <summary>Whatever can be read can be asked for without its body.</summary>
    public static readonly string[] ReadMethods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Whether it is a path that only asks whether the server lives.</summary>
    public static bool IsProbe(PathString path) => path == "/livez" || path == "/readyz";

    public static void MapStatus(this IEndpointRouteBuilder routes, Func<Status> status, Func<bool> isReady)
    {
        routes.MapMethods("/v1/status", ReadMethods, Ok<Status> () => TypedResults.Ok(status()))
            .Describe("getStatus", "The server at a glance");
        routes.MapMethods("/livez", ReadMethods, ContentHttpResult () => TypedResults.Text("ok\n"))
            .Describe("getLiveness", "The process serves").ProducesText(StatusCodes.Status200OK);
        routes.MapMethods("/readyz", ReadMethods, ContentHttpResult () => isReady()
            ? TypedResults.Text("ok\n")
            : TypedResults.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable))
            .Describe("getReadiness", "The server takes work")
            .ProducesText(StatusCodes.Status200OK).ProducesText(StatusCodes.Status503ServiceUnavailable);
    }
}
