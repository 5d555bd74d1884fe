using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/ and /v1: what there is.</summary>
static class IndexRoutes
{
    public static void MapIndex(this IEndpointRouteBuilder routes, string version)
    {
        var index = new ApiIndex
        {
            Version = version,
            Links = new("/v1/status", "/v1/pools", "/v1/pools/{pool}", "/v1/pools/{pool}/volumes",
                "/v1/pools/{pool}/volumes/{volume}", "/v1/pools/{pool}/trash", "/v1/catalogue",
                "/v1/customers", "/v1/customers/{customer}/files/{path}", "/v1/file-nodes", "/metrics", "/livez", "/readyz",
                ApiDescription.Path),
        };
        routes.MapMethods("/v1", StatusRoutes.ReadMethods, Ok<ApiIndex> () => TypedResults.Ok(index))
            .Describe("getIndex", "What there is");
        routes.MapMethods("/", StatusRoutes.ReadMethods, Ok<ApiIndex> () => TypedResults.Ok(index)).ExcludeFromDescription();
    }
}
