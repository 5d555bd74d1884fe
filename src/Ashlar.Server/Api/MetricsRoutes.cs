using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/metrics.</summary>
static class MetricsRoutes
{
    public static void MapMetrics(this IEndpointRouteBuilder routes, ServerMetrics metrics) =>
        routes.MapMethods("/metrics", StatusRoutes.ReadMethods, ContentHttpResult () =>
            TypedResults.Text(metrics.Collect(), PrometheusText.ContentType))
            .Describe("getMetrics", "Figures for Prometheus").ProducesText(StatusCodes.Status200OK);
}
