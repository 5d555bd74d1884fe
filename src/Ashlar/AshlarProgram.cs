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
            var global = new GlobalOptions(terminal);
            var root = ProgramCommand.Create(terminal, global);
            // Words that begin with '@' are words: no files of arguments are read.
            var arguments = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });

            if (words is [['[', ..], ..]) return Complete(arguments, terminal);
            var isHelp = arguments.GetResult(root.Options.OfType<HelpOption>().Single()) is { Implicit: false };
            if (isHelp || words.Count == 0)
            {
                Help.Write(arguments.CommandResult, terminal.Out, terminal.OutStyle);
                return ExitCode.Ok;
            }
            if (UsageErrors.Find(arguments) is { } error) return ErrorReport.Write(terminal, format, error);
            var verb = (Verb)arguments.CommandResult.Command;
            return await verb.RunAsync(new Invocation(arguments, global, terminal), cancellationToken);
        }
        catch (IOException) when (!IsWritable(terminal.Out))
        {
            // Whoever read us has enough: "ashlar volume list | head -1".
            return ExitCode.Ok;
        }
        catch (Exception e)
        {
            return ErrorReport.Write(terminal, format, e);
        }
    }

    /// <summary>Shell completion: <c>ashlar "[suggest:14]" "ashlar volume "</c>.</summary>
    static ExitCode Complete(ParseResult arguments, Terminal terminal) =>
        (ExitCode)arguments.Invoke(new() { Output = terminal.Out, Error = terminal.Error });

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

    static bool IsWritable(TextWriter writer)
    {
        try
        {
            writer.Flush();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
