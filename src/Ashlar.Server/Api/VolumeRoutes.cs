using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/pools/{pool}/volumes.</summary>
static class VolumeRoutes
{
    public static void MapVolumes(this IEndpointRouteBuilder routes, ServedPools pools, Func<Endpoints> endpoints)
    {
        var volumes = routes.MapGroup("/v1/pools/{pool}/volumes");

        volumes.MapMethods("", StatusRoutes.ReadMethods, Ok<VolumeList> (string pool) =>
        {
            var served = pools.Get(pool);
            var items = served.List().Select(info => Resources.Volume(endpoints(), served, info));
            return TypedResults.Ok(new VolumeList { Items = [.. items] });
        });

        volumes.MapPost("", async Task<Created<Volume>> (string pool, CreateVolume request) =>
        {
            var served = pools.Get(pool);
            var info = await served.CreateAsync(request);
            return TypedResults.Created($"/v1/pools/{pool}/volumes/{info.Name}", Resources.Volume(endpoints(), served, info));
        });

        volumes.MapMethods("{volume}", StatusRoutes.ReadMethods, Ok<Volume> (string pool, string volume) =>
        {
            var served = pools.Get(pool);
            var answer = Resources.Volume(endpoints(), served, served.Get(volume));
            return TypedResults.Ok(answer with
            {
                Sessions = SessionObjects.Of(served.FrontOf(volume)),
                Unverified = UnverifiedRanges.Of(served.ListUnverified(answer.Id)),
            });
        });

        volumes.MapPatch("{volume}", async Task<Ok<Volume>> (string pool, string volume, ChangeVolume request) =>
        {
            var served = pools.Get(pool);
            var info = await served.ChangeAsync(volume, request);
            return TypedResults.Ok(Resources.Volume(endpoints(), served, info));
        });

        volumes.MapDelete("{volume}", async Task<NoContent> (string pool, string volume, string force = "false") =>
        {
            if (!bool.TryParse(force, out var isForced))
                throw new ApiException(ProblemKind.InvalidRequest, $"'{force}' is not a value of 'force': true or false");
            await pools.Get(pool).DeleteAsync(volume, isForced);
            return TypedResults.NoContent();
        });
    }
}
