using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Shows something again and again, until Ctrl-C: --watch, --interval.</summary>
sealed class WatchOptions(Terminal terminal)
{
    // To the upper left corner, and nothing below it: what is written over flickers less than what is wiped out before.
    const string ToTop = "\e[H\e[J";

    readonly Option<bool> watch = new("--watch", "-w") { Description = "Show it again every --interval, until Ctrl-C" };

    readonly Option<TimeSpan> interval = Setting.Create(
        terminal, "--interval", "TIME", "How often: 500ms, 2s, 1m [default: 2s]", Duration.Parse, TimeSpan.FromSeconds(2));

    public IEnumerable<Option> All => [watch, interval];

    /// <summary>Gets and shows something, once or for as long as it is watched.</summary>
    public async Task<ExitCode> RunAsync<T>(
        Invocation invocation, Func<CancellationToken, Task<T>> get, Func<T, ExitCode> show, CancellationToken cancellationToken)
    {
        if (!invocation.Get(watch))
        {
            if (invocation.IsGiven(interval)) throw Usage.Error("--interval needs --watch");
            return show(await get(cancellationToken));
        }
        try
        {
            while (true)
            {
                var found = await get(cancellationToken);
                if (terminal.OutIsTerminal && invocation.Format == OutputFormat.Table) terminal.Out.Write(ToTop);
                show(found);
                terminal.Out.Flush();
                await Task.Delay(invocation.Get(interval), terminal.TimeProvider, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
    }
}
