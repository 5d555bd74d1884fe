using System.Globalization;
using Ashlar.Api;
using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/customers/{customer}/uploads: files that come in parts, in any order, and go on after whatever broke off.</summary>
static class FileUploadRoutes
{
    public static void MapFileUploads(this IEndpointRouteBuilder routes, FileStores files)
    {
        routes.MapMethods("/v1/customers/{customer}/uploads", StatusRoutes.ReadMethods, async Task<Ok<FileUploadList>> (
            string customer, HttpContext context) =>
        {
            var (store, owner, page) = (files.Get(), context.Holder().Customer.Id, Page.Of(context.Request));
            IntentToken? after = page.After is { } last ? new IntentToken(owner, FileRoutes.UploadIdOf(last)!.Value, 0) : null;
            var found = await store.Metadata.ListIntentsAsync(owner, after, onlyEnded: false, page.Limit + 1, context.RequestAborted);
            var (items, next) = (page with { After = null }).Take(
                found, static intent => FileAnswers.UploadName(intent.Token.Id), context);
            return TypedResults.Ok(new FileUploadList
            {
                Items = [.. items.Where(static intent => intent.IsInParts && !intent.IsReleased).Select(FileAnswers.Upload)],
                Next = next,
            });
        }).RequireKey(FileRights.Read).WithQuery(Page.Parameters)
            .Describe("listUploads", "Uploads in parts that have not ended; in pages");

        routes.MapPost("/v1/customers/{customer}/uploads", async Task<Created<FileUploadInfo>> (
            string customer, BeginFileUpload request, HttpContext context) =>
        {
            var (store, owner) = (files.Get(), context.Holder().Customer);
            if (request.SizeBytes < 0) throw new ApiException(ProblemKind.InvalidRequest, $"a size is not negative: {request.SizeBytes}");
            var intent = await store.Service.BeginPartsAsync(
                owner.Id, RawTarget.Parse(request.Path), new BeginPartsOptions { ExpectedBytes = request.SizeBytes },
                context.RequestAborted);
            var upload = FileAnswers.Upload(intent);
            return TypedResults.Created($"/v1/customers/{owner.Name}/uploads/{upload.Id}", upload);
        }).RequireKey(FileRights.Write).Describe("beginUpload", "Begins an upload in parts");

        routes.MapMethods("/v1/customers/{customer}/uploads/{upload}", StatusRoutes.ReadMethods, async Task<Ok<FileUploadInfo>> (
            string customer, string upload, HttpContext context) =>
            TypedResults.Ok(FileAnswers.Upload(await FindAsync(files.Get(), context, upload))))
            .RequireKey(FileRights.Read).Describe("getUpload", "One upload in parts");

        routes.MapDelete("/v1/customers/{customer}/uploads/{upload}", async Task<NoContent> (
            string customer, string upload, HttpContext context) =>
        {
            var store = files.Get();
            await store.Service.AbortPartsAsync((await FindAsync(store, context, upload)).Token);
            return TypedResults.NoContent();
        }).RequireKey(FileRights.Write).Describe("abortUpload", "Gives up an upload in parts; what it brought goes");

        routes.MapPost("/v1/customers/{customer}/uploads/{upload}", async Task<IResult> (
            string customer, string upload, CompleteFileUpload request, HttpContext context) =>
        {
            var store = files.Get();
            var owner = context.Holder().Customer.Id;
            var id = FileRoutes.UploadIdOf(upload)!.Value;
            // Who asks again because the answer was lost gets the same one.
            var token = await store.Metadata.FindIntentAsync(owner, id) is { } open ? open.Token : new IntentToken(owner, id, 0);
            (int, string)[] parts = request.Parts is { } named
                ? [.. named.Select(static part => (part.Number, part.Tag))]
                : await AllAsync(store, owner, id, context.RequestAborted);
            if (token.Fence == 0 && await store.Metadata.FindCommittedAsync(owner, id) is { } done)
                return await FileRoutes.AnswerAsync(store, done, context, isNew: true);
            if (parts.Length == 0)
                throw new ApiException(ProblemKind.InvalidRequest, "a file has one part at least");
            var complete = new CompletePartsOptions
            {
                Condition = request.Replace ? CommitCondition.Replace : CommitCondition.MustNotExist,
            };
            return await FileRoutes.AnswerAsync(
                store, await store.Service.CompletePartsAsync(token, parts, complete, context.RequestAborted), context, isNew: true);
        }).RequireKey(FileRights.Write)
            .Describe("completeUpload", "Makes the file of parts; durable when answered").Produces<FileEntry>(StatusCodes.Status201Created);

        routes.MapMethods("/v1/customers/{customer}/uploads/{upload}/parts", StatusRoutes.ReadMethods, async Task<Ok<FilePartList>> (
            string customer, string upload, HttpContext context) =>
        {
            var (store, page) = (files.Get(), Page.Of(context.Request));
            var intent = await FindAsync(store, context, upload);
            var after = int.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            var found = await store.Metadata.ListPartsAsync(
                intent.Token.Customer, intent.Token.Id, after, page.Limit + 1, context.RequestAborted);
            var (items, next) = (page with { After = null }).Take(
                found, static part => part.Number.ToString(CultureInfo.InvariantCulture), context);
            return TypedResults.Ok(new FilePartList { Items = [.. items.Select(FileAnswers.Part)], Next = next });
        }).RequireKey(FileRights.Read).WithQuery(Page.Parameters)
            .Describe("listParts", "Parts of an upload that are there, by number; in pages");

        routes.MapPut("/v1/customers/{customer}/uploads/{upload}/parts/{part:int}", async Task<Ok<FilePart>> (
            string customer, string upload, int part, HttpContext context) =>
        {
            var store = files.Get();
            if (part is < 1 or > UploadPart.MaxNumber)
                throw new ApiException(ProblemKind.InvalidRequest, $"parts have numbers from 1 to {UploadPart.MaxNumber}, not {part}");
            using var check = DigestCheck.Of(context.Request);
            var put = new ContentOptions { ExpectedBytes = context.Request.ContentLength, Check = check };
            var added = await FileBodies.TakeAsync(context, store.Options.TimeProvider, async body =>
            {
                var intent = await FindAsync(store, context, upload);
                return await store.Service.PutPartAsync(intent.Token, part, body, put, context.RequestAborted);
            });
            return TypedResults.Ok(FileAnswers.Part(added));
        }).RequireKey(FileRights.Write)
            .Describe("putPart", "Adds a part of the body, or replaces the one of its number; durable when answered");
    }

    static async Task<UploadIntent> FindAsync(FileStore store, HttpContext context, string upload)
    {
        var found = await store.Metadata.FindIntentAsync(context.Holder().Customer.Id, FileRoutes.UploadIdOf(upload)!.Value);
        return found is { IsInParts: true }
            ? found
            : throw new ApiException(ProblemKind.UploadNotFound, $"there is no upload {upload}, or it has ended");
    }

    static async Task<(int Number, string Tag)[]> AllAsync(
        FileStore store, CustomerId owner, ulong id, CancellationToken cancellationToken)
    {
        var all = new List<(int, string)>();
        var last = 0;
        while (await store.Metadata.ListPartsAsync(owner, id, last, Page.MaxItems, cancellationToken) is { Count: > 0 } page)
        {
            all.AddRange(page.Select(static part => (part.Number, part.Tag)));
            last = page[^1].Number;
        }

        return [.. all];
    }
}
