namespace Ashlar.CommandLine;

/// <summary>
/// Does one thing to each of several operands. Each is tried, each failure is reported as it comes, and the first decides how the
/// program ends. Where no server answers there is no point in going on.
/// </summary>
sealed class Attempts(Invocation invocation)
{
    public ExitCode ExitCode { get; private set; }

    public async Task TryAsync(Func<Task> attempt)
    {
        try
        {
            await attempt();
        }
        catch (CommandException e) when (e.ExitCode is not (ExitCode.Unreachable or ExitCode.Cancelled))
        {
            invocation.Terminal.Out.Flush();
            ErrorReport.Write(invocation.Terminal, invocation.Format, e);
            if (ExitCode == ExitCode.Ok) ExitCode = e.ExitCode;
        }
    }
}
