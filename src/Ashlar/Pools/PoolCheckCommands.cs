using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Checks of a pool: <c>ashlar pool verify</c> and <c>ashlar pool scrub</c>.</summary>
static class PoolCheckCommands
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public static Verb CreateVerify()
    {
        var name = PathArgument.Pool(isRequired: true);
        var noWait = NoWait();
        var offline = new Option<bool>("--offline") { Description = "In the data directory, where no server runs; nothing is changed" };
        return new Verb(
            "verify",
            "Compare the map of a pool with its free space: nothing leaked, nothing owned twice",
            ["ashlar pool verify main", "ashlar pool verify main --offline"],
            async (invocation, cancellationToken) =>
            {
                if (invocation.Get(offline))
                    return await OfflineVerification.RunAsync(invocation, invocation.Get(name), cancellationToken);
                using var client = ApiClient.For(invocation);
                var task = await client.VerifyPoolAsync(invocation.Get(name), cancellationToken);
                return await FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { name, noWait, offline };
    }

    public static Verb CreateScrub(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var limit = Setting.Create<long?>(
            terminal, "--limit-bandwidth", "SIZE", "How much it may read in a second, 1MiB at least [default: all it can]",
            text => ByteSize.Parse(text), null);
        var noWait = NoWait();
        return new Verb(
            "scrub",
            "Read all blocks of a pool's volumes and compare them with their checksums, while they are in use",
            ["ashlar pool scrub main", "ashlar pool scrub main --limit-bandwidth 100MiB --no-wait"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new StartScrub { BytesPerSecond = invocation.Get(limit) };
                var task = await client.ScrubPoolAsync(invocation.Get(name), request, cancellationToken);
                return await FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { name, limit, noWait };
    }

    /// <summary>Whether a task is only begun.</summary>
    public static Option<bool> NoWait() => new("--no-wait") { Description = "Only begin; 'ashlar task' shows how far it is" };

    /// <summary>Waits for the end of a task. Who leaves by Ctrl-C leaves the task: it is the server's.</summary>
    public static async Task<ExitCode> FollowAsync(
        Invocation invocation, ApiClient client, TaskInfo task, bool isLeft, CancellationToken cancellationToken)
    {
        if (isLeft)
        {
            invocation.WriteChange(task, ApiJson.Strict.TaskInfo, [task.Id], (writer, _) =>
                writer.WriteLine($"task {task.Id} is started: {invocation.CommandLines.OfServer($"task show {task.Id}")}"));
            return ExitCode.Ok;
        }
        invocation.Tell($"task {task.Id} is started; Ctrl-C leaves it running");
        var line = new TaskLine(invocation);
        try
        {
            while (task.EndedAt is null)
            {
                await Task.Delay(Interval, invocation.Terminal.TimeProvider, cancellationToken);
                task = await client.GetTaskAsync(task.Id, cancellationToken);
                line.Show(task);
            }
        }
        finally
        {
            line.End();
        }

        TaskScreens.Write(invocation, task);
        return task switch
        {
            { State: not TaskStates.Done } => ExitCode.Failed,
            { Findings.Count: > 0 } => ExitCode.Damaged,
            _ => ExitCode.Ok,
        };
    }
}
