using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/exports: who may reach volumes.</summary>
static class ExportRoutes
{
    public static void MapExports(this IEndpointRouteBuilder routes, ServedPools pools, ServedExports exports)
    {
        routes.MapMethods("/v1/exports", StatusRoutes.ReadMethods, Ok<ExportList> (HttpContext context) =>
        {
            var (items, next) = Page.Of(context.Request).Take(
                exports.All, static export => export.Record.Number.ToString("D20"), context);
            return TypedResults.Ok(new ExportList { Items = [.. items.Select(export => Describe(pools, export))], Next = next });
        }).WithQuery(Page.Parameters).Describe("listExports", "Exports, in the order in which they were created; in pages");

        routes.MapPost("/v1/exports", Created<Export> (CreateExport request, HttpContext context) =>
        {
            var pool = pools.Get(request.Pool ?? DataDirectory.MainPool);
            var volume = pool.Get(request.Volume);
            if (request.Snapshot is { } snapshot && pool.FindSnapshot(volume.Name, snapshot) is null)
            {
                throw new ApiException(
                    ProblemKind.SnapshotNotFound, $"there is no snapshot {pool.Name}/{volume.Name}@{snapshot}");
            }
            var export = exports.Create(request, volume.Id, Caller.Of(context));
            return TypedResults.Created($"/v1/exports/{export.Name}", Describe(pools, export));
        }).Describe("createExport", "Says who may reach a volume, which is reached in no other way from then on; durable when answered");

        routes.MapMethods("/v1/exports/{export}", StatusRoutes.ReadMethods, Ok<Export> (string export) =>
            TypedResults.Ok(Describe(pools, exports.Get(export)))).Describe("getExport", "One export, without its secrets");

        routes.MapPatch("/v1/exports/{export}", Ok<Export> (string export, ChangeExport request, HttpContext context) =>
            TypedResults.Ok(Describe(pools, exports.Change(export, request, Caller.Of(context)))))
            .Describe("changeExport", "Changes an export, and cuts off whom it does not let in any more; durable when answered");

        routes.MapDelete("/v1/exports/{export}", NoContent (string export, HttpContext context) =>
        {
            exports.Delete(export, Caller.Of(context));
            return TypedResults.NoContent();
        }).Describe("deleteExport", "Deletes an export, the last of which opens the volume to all; durable when answered");
    }

    static Export Describe(ServedPools pools, ServedExport export)
    {
        var record = export.Record;
        var found = pools.FindVolume(record.VolumeId);
        return new()
        {
            Name = record.Name,
            Pool = found?.Pool.Name,
            Volume = found?.Volume,
            VolumeId = record.VolumeId,
            Snapshot = record.Snapshot,
            Protocols = record.Protocols,
            Initiators = record.Initiators is { Count: > 0 } initiators ? initiators : null,
            Addresses = record.Addresses is { Count: > 0 } addresses ? addresses : null,
            IsReadOnly = record.IsReadOnly,
            ChapUser = record.Chap?.User,
            ChapTargetUser = record.Chap?.TargetUser,
            AsksForDhChap = record.DhChap is not null,
            AnswersDhChap = record.DhChap?.ControllerSecret is not null,
        };
    }
}
