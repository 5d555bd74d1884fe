using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Ashlar.Server;

/// <summary>/v1/tasks, and what begins them.</summary>
static class TaskRoutes
{
    public static void MapTasks(this IEndpointRouteBuilder routes, ServerTasks tasks, ServedPools pools)
    {
        routes.MapMethods("/v1/tasks", StatusRoutes.ReadMethods, Ok<TaskList> () =>
            TypedResults.Ok(new TaskList { Items = [.. tasks.All.Select(task => task.Describe())] }))
            .Describe("listTasks", "Tasks that run, and the last that have ended; the oldest first");

        routes.MapMethods("/v1/tasks/{task}", StatusRoutes.ReadMethods, Ok<TaskInfo> (string task) =>
            TypedResults.Ok(tasks.Get(task).Describe())).Describe("getTask", "One task");

        routes.MapPatch("/v1/tasks/{task}", Ok<TaskInfo> (string task, ChangeTask request) =>
        {
            var found = tasks.Get(task);
            if (request is { IsPaused: null, BytesPerSecond: null })
                throw new ApiException(ProblemKind.InvalidRequest, "nothing to change: the request has no 'isPaused' or 'bytesPerSecond'");
            var limit = Limit(request.BytesPerSecond);
            if (request.BytesPerSecond is not null) found.Context.Limit(limit);
            if (request.IsPaused is { } isPaused) found.Context.Pause(isPaused);
            return TypedResults.Ok(found.Describe());
        }).Describe("changeTask", "Pauses a task, lets it go on, or says how fast it may be");

        routes.MapDelete("/v1/tasks/{task}", NoContent (string task) =>
        {
            tasks.Get(task).Context.Withdraw();
            return TypedResults.NoContent();
        }).Describe("cancelTask", "Ends a task, which may go on for a moment");

        routes.MapPost("/v1/pools/{pool}/verify", Accepted<TaskInfo> (string pool, HttpContext context) =>
        {
            var served = pools.Get(pool);
            return Answer(tasks.Start(pool, served.CreateVerification(), null, Caller.Of(context)));
        }).Describe("verifyPool", "Begins to compare the map of a pool with its free space");

        routes.MapPost("/v1/pools/{pool}/scrub", Accepted<TaskInfo> (string pool, StartScrub request, HttpContext context) =>
        {
            var served = pools.Get(pool);
            var scrub = served.CreateScrub(pools.GetEntry(pool).Devices.Raid);
            return Answer(tasks.Start(pool, scrub, Limit(request.BytesPerSecond), Caller.Of(context)));
        }).Describe("scrubPool", "Begins to read all blocks of a pool's volumes and to compare them with their checksums");

        routes.MapPost("/v1/pools/{pool}/volumes/{volume}/defragment", Accepted<TaskInfo> (
            string pool, string volume, StartDefragmentation request, HttpContext context) =>
        {
            var work = pools.Get(pool).CreateDefragmentation(volume, request.CopyShared);
            return Answer(tasks.Start(pool, work, Limit(request.BytesPerSecond), Caller.Of(context)));
        }).Describe("defragmentVolume", "Begins to put a volume in order: whole chunks, in the order of their addresses");

        routes.MapPost("/v1/pools/{pool}/device-removals", async Task<Accepted<TaskInfo>> (
            string pool, RemovePoolDevice request, HttpContext context) =>
            Answer(await pools.RemoveDeviceAsync(pool, request.Path, Limit(request.BytesPerSecond), Caller.Of(context))))
            .Describe("removePoolDevice", "Begins to move what lies on a device to the others of its pool, and to take it out then");
    }

    /// <summary>The answer to who has begun a task.</summary>
    public static Accepted<TaskInfo> Answer(ServerTask task) => TypedResults.Accepted($"/v1/tasks/{task.Id}", task.Describe());

    /// <summary>How fast a task may be, of what a request says.</summary>
    /// <exception cref="ApiException">That is too slow.</exception>
    public static long? Limit(long? bytesPerSecond) => bytesPerSecond switch
    {
        null or 0 => null,
        >= ChangeTask.LeastBytesPerSecond => bytesPerSecond,
        _ => throw new ApiException(
            ProblemKind.InvalidRequest,
            $"'bytesPerSecond' is {ChangeTask.LeastBytesPerSecond} at least, or 0 for no limit, not {bytesPerSecond}"),
    };
}
