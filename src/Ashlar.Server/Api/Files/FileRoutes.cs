using System.Globalization;
using System.Text.Json;
using Ashlar.Api;
using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Ashlar.Server;

/// <summary>/v1/customers/{customer}/files: files and directories, of who shows a key. What follows is the path, byte by byte.</summary>
static class FileRoutes
{
    const string Pattern = "/v1/customers/{customer}/files/{**path}";
    const string ContentView = "content", ListView = "list", EntryView = "entry";

    static readonly QueryParameter View = new(
        "view", JsonSchemaType.String, "'content' of a file, 'list' of a directory, or 'entry', which is what is known of either");

    static readonly QueryParameter Replace = new("replace", JsonSchemaType.Boolean, "Also in the place of a file of this path");

    static readonly QueryParameter Upload = new(
        "upload", JsonSchemaType.String, "A number of the client's choice, 16 hexadecimal digits: with the same one it is done once");

    public static void MapFiles(this IEndpointRouteBuilder routes, FileStores files, ServerTasks tasks)
    {
        routes.MapMethods(Pattern, StatusRoutes.ReadMethods, async Task (
            string customer, string? path, HttpContext context, string view = "", string recursive = "false") =>
        {
            var file = RawTarget.FileOf(context);
            await ReadAsync(files.Get(), context.Holder().Customer.Id, file, view, FileListings.Recursive.ReadFlag(recursive), context);
        }).RequireKey(FileRights.Read).WithQuery([.. Page.Parameters, View, FileListings.Recursive])
            .Describe("readFile", "A file, or a range of it; or what is in a directory, in pages").Produces<FileListing>();

        routes.MapPut(Pattern, async Task<IResult> (
            string customer, string? path, HttpContext context, string replace = "false", string? upload = null) =>
        {
            var store = files.Get();
            var (file, condition) = (RawTarget.FileOf(context), FileConditions.OfPut(context.Request, Replace.ReadFlag(replace)));
            using var check = DigestCheck.Of(context.Request);
            var create = new CreateFileOptions
            {
                Condition = condition,
                ExpectedBytes = context.Request.ContentLength,
                UploadId = UploadIdOf(upload),
                Check = check,
                Properties = PropertiesOf(context.Request),
            };
            var entry = await FileBodies.TakeAsync(context, store.Options.TimeProvider, async body =>
            {
                await RequirePossibleAsync(store, context.Holder().Customer.Id, file, create);
                return await store.Service.CreateFileAsync(context.Holder().Customer.Id, file, body, create, context.RequestAborted);
            });
            return await AnswerAsync(store, entry, context, condition.IfTag is null);
        }).RequireKey(FileRights.Write).WithQuery(Replace, Upload)
            .Describe("createFile", "Creates a file of the body; all of it, or nothing; durable when answered")
            .Produces<FileEntry>(StatusCodes.Status201Created).Produces<FileEntry>();

        routes.MapDelete(Pattern, async Task<NoContent> (string customer, string? path, HttpContext context) =>
        {
            var (store, file, owner) = (files.Get(), RawTarget.FileOf(context), context.Holder().Customer.Id);
            if (FileConditions.TagToMatch(context.Request) is { } tag) await store.Metadata.DeleteFileAsync(owner, file, tag);
            else await store.Service.DeleteDirectoryAsync(owner, file);
            return TypedResults.NoContent();
        }).RequireKey(FileRights.Write).Describe("deleteFile", "Deletes a file, or a directory that is empty; durable when answered");

        routes.MapPost(Pattern, async Task<IResult> (string customer, string? path, FileAction request, HttpContext context) =>
        {
            var (store, file, owner) = (files.Get(), RawTarget.FileOf(context), context.Holder().Customer.Id);
            var entry = request switch
            {
                { Action: FileActions.CreateDirectory, To: null } => await store.Metadata.CreateDirectoryAsync(owner, file),
                { Action: FileActions.Rename, To: { } to } =>
                    await store.Metadata.RenameFileAsync(owner, file, RawTarget.Parse(to), request.Replace),
                { Action: FileActions.Copy, To: { } to } => await store.Metadata.CopyFileAsync(owner, file, RawTarget.Parse(to), new()
                {
                    UploadId = UploadId.Draw(store.Options.TimeProvider, store.Options.Entropy),
                    IfTag = FileConditions.TagToMatch(context.Request),
                    Condition = request.Replace ? CommitCondition.Replace : CommitCondition.MustNotExist,
                }),
                { Action: FileActions.CreateDirectory } => throw new ApiException(ProblemKind.InvalidRequest, "'to' has no meaning here"),
                { Action: FileActions.Rename or FileActions.Copy } => throw new ApiException(ProblemKind.InvalidRequest, "missing: 'to'"),
                _ => throw new ApiException(
                    ProblemKind.InvalidRequest,
                    $"'{request.Action}' is not an action: {FileActions.CreateDirectory}, {FileActions.Rename}, {FileActions.Copy}"),
            };
            return await AnswerAsync(store, entry, context, request.Action != FileActions.Rename);
        }).RequireKey(FileRights.Write)
            .Describe("changeFile", "Makes a directory, or renames or copies a file; durable when answered")
            .Produces<FileEntry>(StatusCodes.Status201Created).Produces<FileEntry>();

        routes.MapPost("/v1/customers/{customer}/verify", Accepted<TaskInfo> (
            string customer, StartFileVerification request, HttpContext context) =>
        {
            var work = new VerifyFilesWork(files.Get(), context.Holder().Customer.Id);
            return TaskRoutes.Answer(tasks.StartOfFiles(
                ServerTask.Files, work, TaskRoutes.Limit(request.BytesPerSecond), Caller.Of(context)));
        }).RequireKey(FileRights.Read)
            .Describe("verifyFiles", "Begins to prove that every file of a customer has verified copies of all its blocks");

        routes.MapPost("/v1/customers/{customer}/prewarm", Accepted<TaskInfo> (
            string customer, StartPrewarm request, HttpContext context) =>
        {
            var work = new PrewarmWork(files.Get(), context.Holder().Customer.Id, RawTarget.Parse(request.Path));
            return TaskRoutes.Answer(tasks.StartOfFiles(
                ServerTask.Files, work, TaskRoutes.Limit(request.BytesPerSecond), Caller.Of(context)));
        }).RequireKey(FileRights.Read)
            .Describe("prewarmFiles", "Begins to read a file, or all below a directory, into the caches");

        routes.MapPost("/v1/file-verifications", Accepted<TaskInfo> (StartFileVerification request, HttpContext context) =>
            TaskRoutes.Answer(tasks.StartOfFiles(
                ServerTask.Files, new VerifyFilesWork(files.Get(), null), TaskRoutes.Limit(request.BytesPerSecond), Caller.Of(context))))
            .Describe("verifyAllFiles", "Begins to prove that every file of every customer has verified copies of all its blocks");
    }

    /// <summary>The number of an upload.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static ulong? UploadIdOf(string? text)
    {
        if (text is null) return null;
        return text.Length == 16
            && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && id > 0
                ? id
                : throw new ApiException(ProblemKind.InvalidRequest, $"'{text}' is not a number of an upload: 16 hexadecimal digits");
    }

    /// <summary>What a request says of a content that is to be kept with it.</summary>
    public static FileProperties PropertiesOf(HttpRequest request) => request.ContentType is { Length: > 0 } type
        ? FileProperties.Of([new(FileAnswers.TypeProperty, type)])
        : FileProperties.Empty;

    /// <summary>The answer to who made or changed a file or directory.</summary>
    public static async Task<IResult> AnswerAsync(FileStore store, NamespaceEntry entry, HttpContext context, bool isNew)
    {
        var holder = context.Holder();
        var described = await store.Metadata.DescribeAsync(holder.Customer.Id, entry.Path);
        var properties = described is { } found && found.Entry.FileId == entry.FileId ? found.Properties : null;
        if (entry.Kind == NamespaceEntryKind.File) context.Response.GetTypedHeaders().ETag = FileConditions.TagOf(entry);
        var value = FileAnswers.Entry(entry, properties);
        return isNew
            ? TypedResults.Created($"/v1/customers/{holder.Customer.Name}/files{RawTarget.Encode(entry.Path)}", value)
            : TypedResults.Ok(value);
    }

    // What cannot be is said before the content comes; what decides is the commit.
    static async Task RequirePossibleAsync(FileStore store, CustomerId customer, FilePath path, CreateFileOptions create)
    {
        if (path.IsRoot) throw new NotAFileException(path);
        var there = await store.Metadata.StatAsync(customer, path);
        if (there is not null && there.FileId == create.UploadId) return; // It was done, and the answer was lost.
        var parent = await store.Metadata.StatAsync(customer, path.Parent) ?? throw new PathNotFoundException(path.Parent);
        if (parent.Kind != NamespaceEntryKind.Directory) throw new NotADirectoryException(path.Parent);
        if (there is null) return;
        if (there.Kind != NamespaceEntryKind.File) throw new NotAFileException(path);
        if (!create.Condition.MayReplace) throw new PathExistsException(path, there.Kind);
    }

    static async Task ReadAsync(
        FileStore store, CustomerId customer, FilePath path, string view, bool isRecursive, HttpContext context)
    {
        var found = await store.Metadata.DescribeAsync(customer, path, context.RequestAborted) ?? throw new PathNotFoundException(path);
        var isFile = found.Entry.Kind == NamespaceEntryKind.File;
        switch (view)
        {
            case ContentView when !isFile:
                throw new NotAFileException(path);
            case ListView when isFile:
                throw new NotADirectoryException(path);
            case EntryView:
                if (isFile) context.Response.GetTypedHeaders().ETag = FileConditions.TagOf(found.Entry);
                await WriteAsync(context, FileAnswers.Entry(found.Entry, found.Properties), ApiJson.Strict.FileEntry);
                return;
            case "" or ContentView or ListView:
                break;
            default:
                throw new ApiException(
                    ProblemKind.InvalidRequest, $"'{view}' is not a value of '{View.Name}': {ContentView}, {ListView}, {EntryView}");
        }

        if (isFile)
        {
            await FileContent.WriteAsync(store, customer, found, context);
            return;
        }

        FileMeter.Call(context, FileMeter.List);
        await WriteAsync(
            context, await FileListings.ReadAsync(store, customer, path, isRecursive, context), ApiJson.Strict.FileListing);
    }

    static Task WriteAsync<T>(HttpContext context, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> json)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, json);
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body).AsTask();
    }
}
