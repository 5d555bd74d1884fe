using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar task</c>.</summary>
static class TaskCommands
{
    static readonly IReadOnlyList<ListColumn<TaskInfo>> Columns =
    [
        new("id", ColumnKind.Text, task => task.Id, Rank: 0),
        new("type", ColumnKind.Text, task => task.Type, Rank: 1),
        new("pool", ColumnKind.Text, task => task.Pool ?? task.Subject, Rank: 2),
        new("state", ColumnKind.Text, task => task.State, Rank: 3),
        new("done", ColumnKind.Size, task => task.DoneBytes, Rank: 4),
        new("of", ColumnKind.Size, task => task.TotalBytes, Rank: 5),
        new("findings", ColumnKind.Count, task => (long?)task.Findings?.Count, Rank: 6),
        new("started", ColumnKind.Time, task => task.StartedAt, Rank: 7),
    ];

    public static Noun Create(Terminal terminal) => new(
        "task",
        "Work of the server that takes long: checks of pools, upkeep of files",
        ["ashlar pool scrub main", "ashlar task list", "ashlar task show 1"])
    {
        CreateList(terminal),
        CreateShow(terminal),
        CreateChange("pause", "Let a task wait", ["ashlar task pause 1"], new ChangeTask { IsPaused = true }, "waits"),
        CreateChange("resume", "Let a task that waits go on", ["ashlar task resume 1"], new ChangeTask { IsPaused = false }, "goes on"),
        CreateLimit(),
        CreateCancel(),
    };

    static Argument<string> Id() => new("TASK") { Description = "Number of the task" };

    static Verb CreateList(Terminal terminal) => ListVerb.Create(
        terminal, Columns, "List the tasks that run, and the last that have ended",
        ["ashlar task list", "ashlar task ls --filter state=running"],
        static async (client, cancellationToken) => (await client.ListTasksAsync(cancellationToken)).Items,
        static items => new TaskList { Items = items }, ApiJson.Strict.TaskList, static task => task.Id);

    static Verb CreateShow(Terminal terminal)
    {
        var id = Id();
        var watch = new WatchOptions(terminal);
        var verb = new Verb(
            "show",
            "Show a task and what it has found",
            ["ashlar task show 1", "ashlar task show 1 -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    token => client.GetTaskAsync(invocation.Get(id), token),
                    task =>
                    {
                        TaskScreens.Write(invocation, task);
                        return ExitCode.Ok;
                    },
                    cancellationToken);
            })
        { id };
        foreach (var option in watch.All) verb.Options.Add(option);
        return verb;
    }

    static Verb CreateChange(string name, string description, IReadOnlyList<string> examples, ChangeTask request, string does)
    {
        var id = Id();
        return new Verb(
            name,
            description,
            examples,
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var task = await client.ChangeTaskAsync(invocation.Get(id), request, cancellationToken);
                invocation.WriteChange(task, ApiJson.Strict.TaskInfo, [task.Id], (writer, _) => writer.WriteLine($"task {task.Id} {does}"));
                return ExitCode.Ok;
            })
        { id };
    }

    static Verb CreateLimit()
    {
        var id = Id();
        var size = new Argument<string>("SIZE") { Description = "What it may do in a second, 1MiB at least; none for all it can" };
        return new Verb(
            "limit",
            "Say how fast a task may be",
            ["ashlar task limit 1 100MiB", "ashlar task limit 1 none"],
            async (invocation, cancellationToken) =>
            {
                var bytes = invocation.Get(size) is "none" ? 0 : Parse(invocation.Get(size));
                using var client = ApiClient.For(invocation);
                var task = await client.ChangeTaskAsync(invocation.Get(id), new ChangeTask { BytesPerSecond = bytes }, cancellationToken);
                var how = task.BytesPerSecond is { } limit
                    ? $"does {ByteSize.Format(limit)} in a second at the most"
                    : "is as fast as it can";
                invocation.WriteChange(task, ApiJson.Strict.TaskInfo, [task.Id], (writer, _) => writer.WriteLine($"task {task.Id} {how}"));
                return ExitCode.Ok;
            })
        { id, size };

        static long Parse(string text)
        {
            try
            {
                return ByteSize.Parse(text) is >= ChangeTask.LeastBytesPerSecond and var bytes
                    ? bytes
                    : throw new FormatException($"'{text}' is too slow: 1MiB at least, or none for as fast as it can");
            }
            catch (FormatException e)
            {
                throw Usage.Error(e.Message);
            }
        }
    }

    static Verb CreateCancel()
    {
        var id = Id();
        return new Verb(
            "cancel",
            "End a task",
            ["ashlar task cancel 1"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var task = await client.GetTaskAsync(invocation.Get(id), cancellationToken);
                await client.CancelTaskAsync(task.Id, cancellationToken);
                invocation.WriteChange(task, ApiJson.Strict.TaskInfo, [task.Id], (writer, _) =>
                    writer.WriteLine($"task {task.Id} is ended"));
                return ExitCode.Ok;
            })
        { id };
    }
}
