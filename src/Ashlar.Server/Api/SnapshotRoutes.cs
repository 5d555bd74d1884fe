using System.Globalization;
using Ashlar.Api;
using Ashlar.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>/v1/pools/{pool}/snapshots and /v1/pools/{pool}/volumes/{volume}/snapshots.</summary>
static class SnapshotRoutes
{
    /// <summary>What the body of a stream is.</summary>
    public const string StreamType = "application/vnd.ashlar.snapshot";

    const long MaxDrainedBytes = 1L << 30;

    static readonly QueryParameter Force = new("force", JsonSchemaType.Boolean, "Also while clients read it");
    static readonly QueryParameter Space = new("space", JsonSchemaType.Boolean, "With what deleting each alone would give back");
    static readonly QueryParameter Since = new("since", JsonSchemaType.String, "The older snapshot to begin at; absent for all");
    static readonly QueryParameter Revert = new(
        "revert", JsonSchemaType.Boolean, "What was written since the snapshot that the stream begins at may be lost");

    public static void MapSnapshots(this IEndpointRouteBuilder routes, ServedPools pools, Func<Endpoints> endpoints)
    {
        var answers = new VolumeAnswers(endpoints);
        var snapshots = routes.MapGroup("/v1/pools/{pool}/volumes/{volume}/snapshots");

        routes.MapPost("/v1/pools/{pool}/snapshots", async Task<Created<SnapshotList>> (
            string pool, TakeSnapshots request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var taken = await served.TakeSnapshotsAsync(request.Snapshots, Caller.Of(context));
            var items = request.Snapshots.Zip(taken, (asked, info) => Resources.Snapshot(endpoints(), served, asked.Volume, info));
            return TypedResults.Created((string?)null, new SnapshotList { Items = [.. items] });
        }).Describe("takeSnapshots", "Takes snapshots of volumes, all at one instant; durable when answered");

        snapshots.MapMethods("", StatusRoutes.ReadMethods, Ok<SnapshotList> (
            string pool, string volume, HttpContext context, string space = "false") =>
        {
            var (served, isMeasured) = (pools.Get(pool), Space.ReadFlag(space));
            var (items, next) = Page.Of(context.Request).Take(
                served.ListSnapshots(volume), info => string.Create(CultureInfo.InvariantCulture, $"{info.Generation:D19}"), context);
            return TypedResults.Ok(new SnapshotList
            {
                Items = [.. items.Select(info => Resources.Snapshot(endpoints(), served, volume, info, isMeasured))],
                Next = next is not null && isMeasured ? $"{next}&{Space.Name}=true" : next,
            });
        }).WithQuery([.. Page.Parameters, Space]).Describe("listSnapshots", "Snapshots of a volume, the oldest first; in pages");

        snapshots.MapMethods("{snapshot}", StatusRoutes.ReadMethods, Ok<Snapshot> (string pool, string volume, string snapshot) =>
            Answer(pools.Get(pool), volume, snapshot)).Describe("getSnapshot", "One snapshot");

        snapshots.MapPatch("{snapshot}", async Task<Ok<Snapshot>> (
            string pool, string volume, string snapshot, ChangeSnapshot request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var renamed = await served.RenameSnapshotAsync(volume, snapshot, request.Name, Caller.Of(context));
            return Answer(served, volume, renamed.Name);
        }).Describe("changeSnapshot", "Gives a snapshot another name; durable when answered");

        snapshots.MapDelete("{snapshot}", async Task<NoContent> (
            string pool, string volume, string snapshot, HttpContext context, string force = "false") =>
        {
            await pools.Get(pool).DeleteSnapshotsAsync(volume, [snapshot], Force.ReadFlag(force), Caller.Of(context));
            return TypedResults.NoContent();
        }).WithQuery(Force).Describe("deleteSnapshot", "Deletes a snapshot; durable when answered, its space follows");

        routes.MapPost("/v1/pools/{pool}/volumes/{volume}/snapshot-deletions", async Task<Ok<SnapshotDeletion>> (
            string pool, string volume, DeleteSnapshots request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var found = request.Snapshots.Select(name => served.GetSnapshot(volume, name)).ToArray();
            if (request.Snapshots.Count == 0) throw new ApiException(ProblemKind.InvalidRequest, "'snapshots' is empty: name one at least");
            var freed = request.DryRun
                ? served.Measure(volume, [.. request.Snapshots])
                : await served.DeleteSnapshotsAsync(volume, request.Snapshots, request.Force, Caller.Of(context));
            return TypedResults.Ok(new SnapshotDeletion
            {
                Pool = pool,
                Volume = volume,
                Snapshots = request.Snapshots,
                IsDryRun = request.DryRun,
                FreedBytes = freed,
                Clones = [.. found.SelectMany(each => each.Clones).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            });
        }).Describe("deleteSnapshots", "Deletes snapshots of a volume together, or says what that would give back");

        snapshots.MapPost("{snapshot}/restore", async Task<TaggedAnswer<Volume>> (
            string pool, string volume, string snapshot, HttpContext context) =>
        {
            var served = pools.Get(pool);
            return answers.Changed(served, await served.RestoreAsync(volume, snapshot, Caller.Of(context)));
        }).Describe("restoreSnapshot", "Takes the volume back to a snapshot; durable when answered").Produces<Volume>();

        snapshots.MapPost("{snapshot}/clone", async Task<TaggedAnswer<Volume>> (
            string pool, string volume, string snapshot, CloneSnapshot request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var clone = await served.CloneAsync(volume, snapshot, request.Name, Caller.Of(context));
            context.Response.Headers.Location = $"/v1/pools/{pool}/volumes/{clone.Name}";
            return answers.Changed(served, clone, StatusCodes.Status201Created);
        }).Describe("cloneSnapshot", "Creates a volume that begins as a snapshot is, at once; durable when answered")
            .Produces<Volume>(StatusCodes.Status201Created);

        routes.MapPost("/v1/pools/{pool}/volumes/{volume}/flatten", async Task<TaggedAnswer<Volume>> (
            string pool, string volume, HttpContext context) =>
        {
            var served = pools.Get(pool);
            return answers.Changed(served, await served.FlattenAsync(volume, Caller.Of(context)));
        }).Describe("flattenVolume", "Gives a clone everything that it shares as its own").Produces<Volume>();

        snapshots.MapMethods("{snapshot}/changes", StatusRoutes.ReadMethods, Ok<SnapshotChanges> (
            string pool, string volume, string snapshot, HttpContext context, string? since = null) =>
        {
            var (items, next) = Page.Of(context.Request).Take(
                pools.Get(pool).Compare(volume, since, snapshot),
                extent => string.Create(CultureInfo.InvariantCulture, $"{extent.OffsetBytes:D19}"),
                context);
            return TypedResults.Ok(new SnapshotChanges
            {
                Items = [.. items.Select(each => new SnapshotChange(each.OffsetBytes, each.LengthBytes, each.IsZero))],
                Next = next is not null && since is not null ? $"{next}&{Since.Name}={Uri.EscapeDataString(since)}" : next,
            });
        }).WithQuery([.. Page.Parameters, Since])
            .Describe("listSnapshotChanges", "What of a snapshot differs from an older one, or holds data; in pages");

        snapshots.MapMethods("{snapshot}/stream", StatusRoutes.ReadMethods, async Task (
            string pool, string volume, string snapshot, HttpContext context, string? since = null) =>
        {
            var served = pools.Get(pool);
            served.DescribeStream(volume, snapshot, since); // Nothing can be refused once the answer has begun.
            // Whoever reads may make a pause as long as he likes, as a tape does.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
            context.Response.ContentType = StreamType;
            if (HttpMethods.IsHead(context.Request.Method)) return;
            // A failure from here on cuts the connection off, and the stream says itself that it is not whole.
            await served.ExportSnapshotAsync(volume, snapshot, since, context.Response.Body, context.RequestAborted);
        }).WithQuery(Since).Describe("exportSnapshot", "A snapshot as a stream: all of it, or what differs from an older one")
            .Produces<byte[]>(StatusCodes.Status200OK, StreamType);

        routes.MapPost("/v1/pools/{pool}/volumes/{volume}/stream", async Task<Created<Snapshot>> (
            string pool, string volume, HttpContext context, string revert = "false") =>
        {
            var (served, mayRevert) = (pools.Get(pool), Revert.ReadFlag(revert));
            if (context.Request.ContentType is not StreamType)
            {
                throw new ApiException(
                    ProblemKind.InvalidRequest.WithStatus(StatusCodes.Status415UnsupportedMediaType), $"the body must be {StreamType}");
            }
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
            try
            {
                var imported = await served.ImportSnapshotAsync(
                    volume, context.Request.Body, mayRevert, Caller.Of(context), context.RequestAborted);
                return TypedResults.Created(
                    $"/v1/pools/{pool}/volumes/{volume}/snapshots/{imported.Name}",
                    Resources.Snapshot(endpoints(), served, volume, imported));
            }
            catch (AshlarException)
            {
                await DrainAsync(context.Request.Body, context.RequestAborted);
                throw;
            }
        }).WithQuery(Revert).Describe("importSnapshot", "Makes a volume of a stream, or goes on with one; all of it, or nothing");

        // Clients of HTTP/1.1 send all before they read why it was not taken.
        static async Task DrainAsync(Stream body, CancellationToken cancellationToken)
        {
            var buffer = new byte[64 << 10];
            for (var left = MaxDrainedBytes; left > 0;)
            {
                var read = await body.ReadAsync(buffer, cancellationToken);
                if (read == 0) return;
                left -= read;
            }
        }

        Ok<Snapshot> Answer(ServedPool served, string volume, string snapshot) =>
            TypedResults.Ok(Resources.Snapshot(endpoints(), served, volume, served.GetSnapshot(volume, snapshot), isMeasured: true));
    }
}
