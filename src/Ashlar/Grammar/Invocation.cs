using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Ashlar.CommandLine;

/// <summary>One call of a command: what was asked, and where the answer goes.</summary>
sealed class Invocation(ParseResult arguments, GlobalOptions options, Terminal terminal)
{
    public Terminal Terminal { get; } = terminal;

    public GlobalOptions Global { get; } = options;

    public OutputFormat Format { get; } = arguments.GetValue(options.Output);

    /// <summary>Whether only names, and no news of changes, are wanted.</summary>
    public bool IsQuiet { get; } = arguments.GetValue(options.Quiet);

    /// <summary>Whether a change that succeeded leaves no trace in the output.</summary>
    public bool IsSilent => IsQuiet && Format == OutputFormat.Table;

    /// <summary>Command lines that this user can paste, for the server that this call talks to.</summary>
    public CommandLines CommandLines => field ??= new(Terminal.Program, CommandLines.ServerOptions(
        IsGiven(Global.Data) ? Get(Global.Data) : null, IsGiven(Global.Server) ? Get(Global.Server) : null));

    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => arguments.GetRequiredValue(argument);

    /// <summary>An argument that may be missing: then null.</summary>
    public T? Find<T>(Argument<T?> argument)
        where T : class => arguments.GetValue(argument);

    /// <summary>Whether the option stands on the command line, rather than in the environment or nowhere.</summary>
    public bool IsGiven(Option option) => arguments.GetResult(option) is OptionResult { Implicit: false };

    /// <summary>Writes what a command found, in the format that was asked for.</summary>
    /// <param name="value">The same object that the API gives.</param>
    /// <param name="json">How it is written as JSON.</param>
    /// <param name="names">What <c>-o name</c> prints, a line each.</param>
    /// <param name="forPeople">Writes tables and facts.</param>
    public void Write<T>(T value, JsonTypeInfo<T> json, IEnumerable<string> names, Action<TextWriter, Style> forPeople)
    {
        switch (Format)
        {
            case OutputFormat.Json:
                Terminal.Out.WriteLine(JsonSerializer.Serialize(value, json));
                break;
            case OutputFormat.Name:
            case OutputFormat.Table when IsQuiet:
                foreach (var name in names) Terminal.Out.WriteLine(Terminal.OutIsTerminal ? ScreenText.Of(name) : name);
                break;
            default:
                forPeople(Terminal.Out, Terminal.OutStyle);
                break;
        }
    }

    /// <summary>Writes what a command changed: as <see cref="Write"/> does, but nothing for people who want it quiet.</summary>
    public void WriteChange<T>(T value, JsonTypeInfo<T> json, IEnumerable<string> names, Action<TextWriter, Style> forPeople)
    {
        if (!IsSilent) Write(value, json, names, forPeople);
    }

    /// <summary>Tells people something beside the data; silent when a program reads.</summary>
    public void Tell(string message)
    {
        if (Format != OutputFormat.Table || IsQuiet) return;
        Terminal.Out.Flush();
        Terminal.Error.WriteLine(ScreenText.Of(message));
    }

    /// <summary>Asks before something that cannot be undone.</summary>
    /// <param name="question">What is about to happen.</param>
    /// <param name="isConfirmed">Whether <c>--yes</c> was given.</param>
    /// <param name="cancellationToken">Ctrl-C is an answer, too.</param>
    /// <exception cref="CommandException">The answer was no, or nobody is there to answer.</exception>
    public async Task ConfirmAsync(string question, bool isConfirmed, CancellationToken cancellationToken)
    {
        if (isConfirmed) return;
        if (!Terminal.InIsTerminal || !Terminal.ErrorIsTerminal)
            throw Usage.Error("this must be confirmed, and the input is not a terminal", "add --yes");
        Terminal.Out.Flush();
        Terminal.Error.Write($"{ScreenText.Of(question)} [y/N] ");
        Terminal.Error.Flush();
        var answer = await Task.Run(Terminal.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
        if (answer?.Trim().ToUpperInvariant() is not ("Y" or "YES"))
            throw new CommandException(ExitCode.Cancelled, Api.ProblemTypes.Failed, "nothing was changed");
    }
}
