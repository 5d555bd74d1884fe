using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>How far a task is, in a line of the terminal that is written over; nothing where nobody would see it.</summary>
sealed class TaskLine(Invocation invocation)
{
    const int LineWidth = 79;

    bool isShown;

    public void Show(TaskInfo task)
    {
        if (!invocation.Terminal.ErrorIsTerminal || invocation.IsQuiet) return;
        var line = ScreenText.Of(Of(task));
        invocation.Terminal.Error.Write($"\r{(line.Length > LineWidth ? line[..LineWidth] : line.PadRight(LineWidth))}");
        isShown = true;
    }

    /// <summary>Clears the line.</summary>
    public void End()
    {
        if (isShown) invocation.Terminal.Error.Write($"\r{new string(' ', LineWidth)}\r");
        isShown = false;
    }

    static string Of(TaskInfo task)
    {
        var done = task switch
        {
            { TotalBytes: { } total and > 0, DoneBytes: { } bytes } =>
                $"{PoolFacts.Progress(bytes, total)} ({Percentage.Format(bytes, total)})",
            { DoneBytes: { } bytes and > 0 } => ByteSize.Format(bytes),
            _ => "begun",
        };
        var paused = task.State == TaskStates.Paused ? ", paused" : "";
        return $"task {task.Id}: {done}{(task.Report is { } report ? $", {report}" : "")}{paused}";
    }
}
