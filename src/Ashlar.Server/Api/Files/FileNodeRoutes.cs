using Ashlar.Api;
using Ashlar.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/file-nodes: the administrator's.</summary>
static class FileNodeRoutes
{
    public static void MapFileNodes(this IEndpointRouteBuilder routes, FileStores files, ServerTasks tasks)
    {
        routes.MapMethods("/v1/file-nodes", StatusRoutes.ReadMethods, async Task<Ok<FileNodeList>> (HttpContext context) =>
        {
            var store = files.Get();
            var health = await store.Nodes.Storage.GetHealthAsync(context.RequestAborted);
            var (items, next) = Page.Of(context.Request).Take(
                store.Nodes.All, static node => node.Record.Number.ToString("D20"), context);
            return TypedResults.Ok(new FileNodeList { Items = [.. items.Select(node => Describe(node, health))], Next = next });
        }).WithQuery(Page.Parameters).Describe("listFileNodes", "Storage nodes, in the order in which they were added; in pages");

        routes.MapPost("/v1/file-nodes", async Task<Created<FileNode>> (AddFileNode request, HttpContext context) =>
        {
            var store = files.Get();
            var node = await store.Nodes.AddAsync(request, Caller.Of(context));
            return TypedResults.Created($"/v1/file-nodes/{node.Name}", await DescribeAsync(store, node));
        }).Describe("addFileNode", "Makes a storage node of a directory; durable when answered");

        routes.MapMethods("/v1/file-nodes/{node}", StatusRoutes.ReadMethods, async Task<Ok<FileNode>> (string node) =>
            TypedResults.Ok(await DescribeAsync(files.Get(), files.Get().Nodes.Get(node)))).Describe("getFileNode", "One storage node");

        routes.MapPatch("/v1/file-nodes/{node}", async Task<Ok<FileNode>> (string node, ChangeFileNode request, HttpContext context) =>
        {
            if (request.Domain is not { } domain)
                throw new ApiException(ProblemKind.InvalidRequest, "nothing to change: the request has no 'domain'");
            var store = files.Get();
            return TypedResults.Ok(await DescribeAsync(store, await store.Nodes.SetDomainAsync(node, domain, Caller.Of(context))));
        }).Describe("changeFileNode", "Says what is lost together with a storage node; durable when answered");

        routes.MapDelete("/v1/file-nodes/{node}", async Task<NoContent> (string node, HttpContext context) =>
        {
            var store = files.Get();
            await tasks.EndOfFilesAsync(store.Nodes.Get(node).Name);
            await store.Nodes.RemoveAsync(node, Caller.Of(context));
            await store.RefreshAsync();
            return TypedResults.NoContent();
        }).Describe("removeFileNode", "Forgets a storage node that was emptied, or is lost and replaced; its directory stays");

        routes.MapMethods("/v1/file-nodes/{node}/drain", StatusRoutes.ReadMethods, async Task<Ok<FileNodeDrain>> (
            string node, HttpContext context) =>
        {
            var store = files.Get();
            var found = store.Nodes.Get(node);
            if (found.Record.NodeId is not { } id)
                throw new ApiException(ProblemKind.UnusableNode, $"storage node {node} was not made yet");
            var check = await store.Care.CheckDrainAsync(id, context.RequestAborted);
            return TypedResults.Ok(new FileNodeDrain
            {
                Node = found.Name,
                BlockCount = check.Blocks,
                BlockBytes = check.Bytes,
                Problems = check.Problems,
            });
        }).Describe("checkFileNodeDrain", "What keeps a storage node from being emptied; changes nothing");

        routes.MapPost("/v1/file-nodes/{node}/drain", async Task<Accepted<TaskInfo>> (
            string node, DrainFileNode? request, HttpContext context) =>
        {
            var limit = TaskRoutes.Limit(request?.BytesPerSecond);
            var store = files.Get();
            var found = await store.Nodes.SetDrainingAsync(node, isDraining: true, Caller.Of(context));
            await store.RefreshAsync();
            return TaskRoutes.Answer(store.Upkeep.StartDrain(found, limit, Caller.Of(context)));
        }).Describe("drainFileNode", "Begins to empty a storage node: nothing new is put on it from now on");

        routes.MapDelete("/v1/file-nodes/{node}/drain", async Task<Ok<FileNode>> (string node, HttpContext context) =>
        {
            var store = files.Get();
            await tasks.EndOfFilesAsync(store.Nodes.Get(node).Name);
            var found = await store.Nodes.SetDrainingAsync(node, isDraining: false, Caller.Of(context));
            return TypedResults.Ok(await DescribeAsync(store, found));
        }).Describe("undrainFileNode", "Lets a storage node that was being emptied take blocks again");

        routes.MapPost("/v1/file-nodes/{node}/lost", async Task<Accepted<TaskInfo>> (string node, HttpContext context) =>
        {
            var store = files.Get();
            await tasks.EndOfFilesAsync(store.Nodes.Get(node).Name);
            var found = await store.Nodes.DeclareLostAsync(node, Caller.Of(context));
            await store.Metadata.ForgetNodeAsync(found.Record.NodeId!.Value);
            await store.RefreshAsync();
            return TaskRoutes.Answer(store.Upkeep.StartReplace(found, Caller.Of(context)));
        }).Describe("loseFileNode", "Says that a storage node will not come back, and begins to make its copies elsewhere");
    }

    static FileNode Describe(ServedNode node, IReadOnlyDictionary<NodeId, NodeHealth> health) =>
        FileAnswers.Node(node, node.Record.NodeId is { } id ? health.GetValueOrDefault(id) : null);

    static async Task<FileNode> DescribeAsync(FileStore store, ServedNode node)
    {
        var health = await store.Nodes.Storage.GetHealthAsync();
        await store.RefreshAsync();
        return Describe(node, health);
    }
}
