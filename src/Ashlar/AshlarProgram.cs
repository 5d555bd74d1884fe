using System.CommandLine;
using System.CommandLine.Help;

namespace Ashlar.CommandLine;

/// <summary>Runs one command line, from its words to its exit code. Whatever goes wrong becomes one report on stderr.</summary>
static class AshlarProgram
{
    public static async Task<ExitCode> RunAsync(IReadOnlyList<string> words, Terminal terminal, CancellationToken cancellationToken)
    {
        var format = AskedFormat(words);
        try
        {
            var exitCode = await RunUnguardedAsync(words, terminal, format, cancellationToken);
            // What was held back until now may be what cannot be written.
            terminal.Out.Flush();
            return exitCode;
        }
        catch (OutputException e) when (e.IsClosed)
        {
            // Whoever read us has enough: "ashlar volume list | head -1".
            return ExitCode.Ok;
        }
        catch (Exception e)
        {
            return Report(terminal, format, e);
        }
    }

    static async Task<ExitCode> RunUnguardedAsync(
        IReadOnlyList<string> words, Terminal terminal, OutputFormat format, CancellationToken cancellationToken)
    {
        var global = new GlobalOptions(terminal);
        var root = ProgramCommand.Create(terminal, global);
        var arguments = root.Parse(words, ProgramCommand.Parsing);
        var isHelp = arguments.GetResult(root.Options.OfType<HelpOption>().Single()) is { Implicit: false };
        if (isHelp || words.Count == 0)
        {
            Help.Write(arguments.CommandResult, terminal);
            return ExitCode.Ok;
        }
        if (arguments.GetValue(global.Version))
        {
            VersionCommand.Write(terminal.Out, format);
            return ExitCode.Ok;
        }
        if (UsageErrors.Find(arguments, words, new CommandLines(terminal.Program)) is { } error)
            return ErrorReport.Write(terminal, format, error);
        var verb = (Verb)arguments.CommandResult.Command;
        return await verb.RunAsync(new Invocation(arguments, global, terminal), cancellationToken);
    }

    static ExitCode Report(Terminal terminal, OutputFormat format, Exception error)
    {
        try
        {
            // What was found before stands before what went wrong.
            if (error is not OutputException) terminal.Out.Flush();
        }
        catch (OutputException)
        {
            // The error that is reported came first.
        }
        return ErrorReport.Write(terminal, format, error);
    }

    /// <summary>The format that errors take, found without the parser, which may be what fails.</summary>
    static OutputFormat AskedFormat(IReadOnlyList<string> words)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] is "-o=json" or "-ojson" or "--output=json" or "-o:json" or "--output:json") return OutputFormat.Json;
            if (words[i] is "-o" or "--output" && i + 1 < words.Count && words[i + 1] == "json") return OutputFormat.Json;
        }
        return OutputFormat.Table;
    }
}
