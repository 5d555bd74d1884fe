using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>/v1/pools.</summary>
static class PoolRoutes
{
    static readonly QueryParameter ForceDelete = new(
        "force", JsonSchemaType.Boolean, "Also with volumes and clients, and what is known of a pool that is not open");

    static readonly QueryParameter ForceExport = new("force", JsonSchemaType.Boolean, "Also while clients are connected");

    public static void MapPools(this IEndpointRouteBuilder routes, ServedPools pools)
    {
        routes.MapMethods("/v1/pools", StatusRoutes.ReadMethods, Ok<PoolList> (HttpContext context) =>
        {
            var ordered = pools.Entries.OrderBy(pool => pool.Name, StringComparer.Ordinal);
            var (items, next) = Page.Of(context.Request).Take(ordered, pool => pool.Name, context);
            return TypedResults.Ok(new PoolList { Items = [.. items.Select(Resources.Pool)], Next = next });
        }).WithQuery(Page.Parameters).Describe("listPools", "Pools, by name; in pages");

        routes.MapPost("/v1/pools", async Task<TaggedAnswer<Pool>> (CreatePool request, HttpContext context) =>
        {
            var entry = await pools.CreateAsync(request, Caller.Of(context));
            context.Response.Headers.Location = $"/v1/pools/{entry.Name}";
            return Answer(entry, StatusCodes.Status201Created);
        }).Describe("createPool", "Creates a pool on devices, or in a file of the server; durable when answered")
            .Produces<Pool>(StatusCodes.Status201Created);

        routes.MapMethods("/v1/pools/{pool}", StatusRoutes.ReadMethods, TaggedAnswer<Pool> (string pool) => Answer(pools.GetEntry(pool)))
            .Describe("getPool", "One pool").Produces<Pool>();

        routes.MapPatch("/v1/pools/{pool}", async Task<TaggedAnswer<Pool>> (string pool, ChangePool request, HttpContext context) =>
        {
            // Of two who grow it at once the larger size holds, whoever comes first; so the condition needs no turn.
            Require(pools, pool, context);
            return Answer(await pools.ChangeAsync(pool, request, Caller.Of(context)));
        }).Describe("changePool", "Makes a pool larger, changes its thresholds, its trash, its name; durable when answered")
            .Produces<Pool>();

        routes.MapDelete("/v1/pools/{pool}", async Task<NoContent> (string pool, HttpContext context, string force = "false") =>
        {
            var isForced = ForceDelete.ReadFlag(force);
            Require(pools, pool, context);
            await pools.DeleteAsync(pool, isForced, Caller.Of(context));
            return TypedResults.NoContent();
        }).WithQuery(ForceDelete).Describe("deletePool", "Deletes a pool; durable when answered");

        routes.MapPost("/v1/pools/{pool}/devices", async Task<TaggedAnswer<Pool>> (
            string pool, AddPoolDevice request, HttpContext context) =>
            Answer(await pools.AddDeviceAsync(pool, request, Caller.Of(context))))
            .Describe("addPoolDevice", "Makes a pool larger by a device, or gives its RAID set a spare; durable when answered")
            .Produces<Pool>();

        routes.MapPost("/v1/pools/{pool}/devices/replace", async Task<TaggedAnswer<Pool>> (
            string pool, ReplacePoolDevice request, HttpContext context) =>
            Answer(await pools.ReplaceDeviceAsync(pool, request, Caller.Of(context))))
            .Describe("replacePoolDevice", "Begins to put a device in the place of another one of a RAID set").Produces<Pool>();

        routes.MapPost("/v1/pools/{pool}/export", async Task<TaggedAnswer<Pool>> (
            string pool, HttpContext context, string force = "false") =>
            Answer(await pools.ExportAsync(pool, ForceExport.ReadFlag(force), Caller.Of(context))))
            .WithQuery(ForceExport)
            .Describe("exportPool", "Closes a pool for good, so that its devices can be taken elsewhere").Produces<Pool>();

        routes.MapPost("/v1/pool-imports", async Task<TaggedAnswer<Pool>> (ImportPool request, HttpContext context) =>
        {
            var entry = await pools.ImportAsync(request, Caller.Of(context));
            context.Response.Headers.Location = $"/v1/pools/{entry.Name}";
            return Answer(entry, StatusCodes.Status201Created);
        }).Describe("importPool", "Opens a pool that was exported, or that could not be opened, or that comes from another server")
            .Produces<Pool>(StatusCodes.Status201Created);
    }

    static void Require(ServedPools pools, string pool, HttpContext context) =>
        EntityTag.Require(context.Request, EntityTag.SettingsOf(Resources.Pool(pools.GetEntry(pool))), $"pool {pool}");

    static TaggedAnswer<Pool> Answer(PoolEntry entry, int status = StatusCodes.Status200OK)
    {
        var pool = Resources.Pool(entry);
        return new(pool, ApiJson.Strict.Pool, EntityTag.SettingsOf(pool), status);
    }
}
