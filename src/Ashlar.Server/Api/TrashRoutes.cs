using System.Globalization;
using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/pools/{pool}/trash.</summary>
static class TrashRoutes
{
    public static void MapTrash(this IEndpointRouteBuilder routes, ServedPools pools, Func<Endpoints> endpoints)
    {
        var answers = new VolumeAnswers(endpoints);
        var trash = routes.MapGroup("/v1/pools/{pool}/trash");

        trash.MapMethods("", StatusRoutes.ReadMethods, Ok<TrashList> (string pool, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var ordered = served.ListTrash().OrderBy(PlaceOf, StringComparer.Ordinal);
            var (items, next) = Page.Of(context.Request).Take(ordered, PlaceOf, context);
            return TypedResults.Ok(new TrashList { Items = [.. items.Select(each => Resources.Trashed(served, each))], Next = next });
        }).WithQuery(Page.Parameters).Describe("listTrash", "Deleted volumes that can be had back, the oldest there first; in pages");

        trash.MapMethods("{id}", StatusRoutes.ReadMethods, Ok<Api.TrashedVolume> (string pool, string id) =>
        {
            var served = pools.Get(pool);
            return TypedResults.Ok(Resources.Trashed(served, served.GetTrashed(Parse(pool, id))));
        }).Describe("getTrashedVolume", "A volume in the trash");

        trash.MapPost("{id}/restore", async Task<TaggedAnswer<Volume>> (
            string pool, string id, RestoreVolume request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            return answers.Changed(served, await served.RestoreAsync(Parse(pool, id), request.Name, Caller.Of(context)));
        }).Describe("restoreVolume", "Takes a volume out of the trash, as it was; durable when answered").Produces<Volume>();

        trash.MapDelete("{id}", async Task<NoContent> (string pool, string id, HttpContext context) =>
        {
            await pools.Get(pool).PurgeAsync(Parse(pool, id), Caller.Of(context));
            return TypedResults.NoContent();
        }).Describe("purgeVolume", "Deletes a volume in the trash for good; durable when answered, its space follows");
    }

    // As text it has the order of the list.
    static string PlaceOf(Ashlar.Volumes.TrashedVolume trashed) => string.Create(
        CultureInfo.InvariantCulture, $"{trashed.DeletedAt.ToUnixTimeMilliseconds():D15} {trashed.Volume.Id}");

    static Guid Parse(string pool, string id) => Guid.TryParseExact(id, "D", out var known)
        ? known
        : throw new ApiException(ProblemKind.NotInTrash, $"there is no volume {id} in the trash of pool {pool}");
}
