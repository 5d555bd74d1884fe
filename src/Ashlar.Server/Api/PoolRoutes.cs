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
        routes.MapMethods("/v1/pools", StatusRoutes.ReadMethods, Ok<PoolList> (HttpContext context) =>
        {
            var ordered = pools.All.OrderBy(pool => pool.Name, StringComparer.Ordinal);
            var (items, next) = Page.Of(context.Request).Take(ordered, pool => pool.Name, context);
            return TypedResults.Ok(new PoolList { Items = [.. items.Select(Resources.Pool)], Next = next });
        }).WithQuery(Page.Parameters);

        routes.MapMethods("/v1/pools/{pool}", StatusRoutes.ReadMethods, TaggedAnswer<Pool> (string pool) => Answer(pools.Get(pool)));
    }

    static TaggedAnswer<Pool> Answer(ServedPool served)
    {
        var pool = Resources.Pool(served);
        return new(pool, ApiJson.Strict.Pool, EntityTag.SettingsOf(pool));
    }
}
