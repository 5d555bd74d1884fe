using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Shows something again and again, until Ctrl-C: --watch, --interval.</summary>
sealed class WatchOptions(Terminal terminal)
{
    // To the upper left corner; after each line nothing right of it, and after the last nothing below: what is written over does not
    // flicker, as what is wiped out before does.
    const string ToTop = "\e[H", EndOfLine = "\e[K\n", EndOfScreen = "\e[J";

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
        var isScreen = terminal.OutIsScreen && invocation.Format == OutputFormat.Table;
        try
        {
            while (true)
            {
                var found = await get(cancellationToken);
                // Where there is nothing to write nobody would say so.
                if (terminal.OutIsClosed()) throw OutputException.Closed();
                if (isScreen) ShowOver(() => show(found));
                else show(found);
                terminal.Out.Flush();
                await Task.Delay(invocation.Get(interval), terminal.TimeProvider, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
    }

    void ShowOver(Action show)
    {
        var (writer, newLine) = (terminal.Out, terminal.Out.NewLine);
        writer.Write(ToTop);
        try
        {
            writer.NewLine = EndOfLine;
            show();
        }
        finally
        {
            writer.NewLine = newLine;
        }
        writer.Write(EndOfScreen);
    }
}
