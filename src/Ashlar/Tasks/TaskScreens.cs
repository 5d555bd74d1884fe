using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What people see of a task.</summary>
static class TaskScreens
{
    public static void Write(Invocation invocation, TaskInfo task) =>
        invocation.Write(task, ApiJson.Strict.TaskInfo, [task.Id], (writer, style) =>
        {
            foreach (var finding in task.Findings ?? []) writer.WriteLine($"{style.Warning("!")} {ScreenText.Of(finding)}");
            if (task.Findings is { Count: > 0 }) writer.WriteLine();
            var facts = new FactSheet()
                .Add("Task", $"{task.Id}, {task.Type} of {Object(task)}")
                .Add("State", task.Failure is { } failure ? $"{task.State}: {failure}" : task.State)
                .Add("Started", Timestamp.Format(task.StartedAt));
            if (task.EndedAt is { } ended) facts.Add("Ended", Timestamp.Format(ended));
            if (task is { TotalBytes: { } total, DoneBytes: { } done })
                facts.Add("Done", $"{PoolFacts.Progress(done, total)} ({Percentage.Format(done, total)})");
            if (Left(invocation, task) is { } left) facts.Add("Left", left);
            if (task.BytesPerSecond is { } speed) facts.Add("At most", $"{ByteSize.Format(speed)} a second");
            if (task.Stripes is { } stripes)
            {
                facts.Add(
                    "Stripes",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{stripes.Inconsistent} inconsistent, {stripes.Unreadable} pieces unreadable, {stripes.Repaired} repaired"));
            }
            if (task.Report is { } report) facts.Add("Result", report);
            facts.Add("Found", task.Findings switch
            {
                null => "nothing yet",
                { Count: 0 } => task.EndedAt is null ? "nothing wrong so far" : "nothing wrong",
                { Count: var count } => count == 1 ? "1 thing wrong" : $"{count} things wrong",
            });
            facts.WriteTo(writer, style, invocation.Terminal.Width);
        });

    /// <summary>What a task works on, in words.</summary>
    public static string Object(TaskInfo task) => task.Pool is { } pool ? $"pool {pool}" : task.Subject is null or "files" ? "files"
        : $"node {task.Subject}";

    // As long as it has taken so far for its part.
    static string? Left(Invocation invocation, TaskInfo task)
    {
        if (task is not { State: TaskStates.Running, TotalBytes: { } total, DoneBytes: > 0 and var done } || done >= total) return null;
        var taken = invocation.Terminal.TimeProvider.GetUtcNow() - task.StartedAt;
        return taken > TimeSpan.Zero ? $"about {Duration.Format(taken * ((double)(total - done) / done))}" : null;
    }
}
