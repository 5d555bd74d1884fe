using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/pools.</summary>
static class PoolRoutes
{
    public static void MapPools(this IEndpointRouteBuilder routes, ServedPools pools)
    {
        routes.MapMethods("/v1/pools", StatusRoutes.ReadMethods, Ok<PoolList> () =>
            TypedResults.Ok(new PoolList { Items = [.. pools.All.Select(Resources.Pool)] }));

        routes.MapMethods("/v1/pools/{pool}", StatusRoutes.ReadMethods, Ok<Pool> (string pool) =>
            TypedResults.Ok(Resources.Pool(pools.Get(pool))));
    }
}
