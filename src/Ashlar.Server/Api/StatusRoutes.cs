using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/status, /livez and /readyz.</summary>
static class StatusRoutes
{
    public static void MapStatus(this IEndpointRouteBuilder routes, Func<Status> status, Func<bool> isReady)
    {
        routes.MapGet("/v1/status", Ok<Status> () => TypedResults.Ok(status()));
        routes.MapGet("/livez", ContentHttpResult () => TypedResults.Text("ok\n"));
        routes.MapGet("/readyz", ContentHttpResult () => isReady()
            ? TypedResults.Text("ok\n")
            : TypedResults.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
    }
}
