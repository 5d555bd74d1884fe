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
        }).WithQuery(Page.Parameters).Describe("listPools", "Pools, by name; in pages");

        routes.MapMethods("/v1/pools/{pool}", StatusRoutes.ReadMethods, TaggedAnswer<Pool> (string pool) => Answer(pools.Get(pool)))
            .Describe("getPool", "One pool").Produces<Pool>();

        routes.MapPatch("/v1/pools/{pool}", async Task<TaggedAnswer<Pool>> (string pool, ChangePool request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            // Of two who grow it at once the larger size holds, whoever comes first; so the condition needs no turn.
            EntityTag.Require(context.Request, EntityTag.SettingsOf(Resources.Pool(served)), $"pool {pool}");
            await served.GrowAsync(request, Caller.Of(context));
            return Answer(served);
        }).Describe("changePool", "Makes a pool larger, while it is in use; durable when answered").Produces<Pool>();
    }

    static TaggedAnswer<Pool> Answer(ServedPool served)
    {
        var pool = Resources.Pool(served);
        return new(pool, ApiJson.Strict.Pool, EntityTag.SettingsOf(pool));
    }
}
