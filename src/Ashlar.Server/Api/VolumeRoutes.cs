using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>/v1/pools/{pool}/volumes.</summary>
static class VolumeRoutes
{
    static readonly QueryParameter Now = new("now", JsonSchemaType.Boolean, "For good, rather than to the trash");

    static readonly QueryParameter Force = new("force", JsonSchemaType.Boolean, "Also while clients are connected");
    static readonly QueryParameter Snapshots = new("snapshots", JsonSchemaType.Boolean, "With its snapshots");

    public static void MapVolumes(this IEndpointRouteBuilder routes, ServedPools pools, Func<Endpoints> endpoints, ServerLog log)
    {
        var changes = new ChangeGate();
        var answers = new VolumeAnswers(endpoints);
        var volumes = routes.MapGroup("/v1/pools/{pool}/volumes");

        volumes.MapMethods("", StatusRoutes.ReadMethods, Ok<VolumeList> (string pool, HttpContext context) =>
            TypedResults.Ok(answers.List(pools.Get(pool), context))).WithQuery([.. Page.Parameters, LabelSelector.Parameter])
            .Describe("listVolumes", "Volumes of a pool, by name; in pages");

        volumes.MapPost("", async Task<TaggedAnswer<Volume>> (string pool, CreateVolume request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var info = await served.CreateAsync(request);
            log.Write(VolumeEvents.Created(pool, info, Caller.Of(context)));
            context.Response.Headers.Location = $"/v1/pools/{pool}/volumes/{info.Name}";
            return answers.Changed(served, info, StatusCodes.Status201Created);
        }).Describe("createVolume", "Creates a volume; durable when answered, a thick one with all of its space")
            .Produces<Volume>(StatusCodes.Status201Created);

        volumes.MapMethods("{volume}", StatusRoutes.ReadMethods, TaggedAnswer<Volume> (string pool, string volume) =>
            answers.One(pools.Get(pool), volume)).Describe("getVolume", "One volume").Produces<Volume>();

        volumes.MapPatch("{volume}", async Task<TaggedAnswer<Volume>> (
            string pool, string volume, ChangeVolume request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            using var turn = await changes.EnterAsync(() => served.Get(volume).Id, EntityTag.IsConditional(context.Request));
            var before = served.Get(volume);
            EntityTag.Require(context.Request, EntityTag.SettingsOf(before), $"volume {pool}/{volume}");
            return answers.Changed(served, await served.ChangeAsync(volume, request, Caller.Of(context)));
        }).Describe("changeVolume", "Changes the size, the limits, the name of a volume, or what is said of it").Produces<Volume>();

        volumes.MapDelete("{volume}", async Task<NoContent> (
            string pool,
            string volume,
            HttpContext context,
            string force = "false",
            string now = "false",
            string snapshots = "false") =>
        {
            var (isForced, isNow, withSnapshots) = (Force.ReadFlag(force), Now.ReadFlag(now), Snapshots.ReadFlag(snapshots));
            var served = pools.Get(pool);
            using var turn = await changes.EnterAsync(() => served.Get(volume).Id, EntityTag.IsConditional(context.Request));
            var before = served.Get(volume);
            EntityTag.Require(context.Request, EntityTag.SettingsOf(before), $"volume {pool}/{volume}");
            var trashed = await served.DeleteAsync(volume, isForced, isNow, withSnapshots);
            if (trashed is not null) context.Response.Headers.Location = $"/v1/pools/{pool}/trash/{trashed.Volume.Id}";
            log.Write(trashed is null
                ? VolumeEvents.Deleted(pool, before, isForced, Caller.Of(context))
                : VolumeEvents.Trashed(pool, trashed, isForced, Caller.Of(context)));
            return TypedResults.NoContent();
        }).WithQuery(Force, Now, Snapshots)
            .Describe("deleteVolume", "Moves a volume to the trash, or deletes it for good; durable when answered");

        volumes.MapMap(pools);
    }
}
