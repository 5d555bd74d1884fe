using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Finds what may stand at the end of a command line, from the grammar and, for names, from a server or a store.</summary>
sealed class CompletionFinder(RootCommand root, Func<ParseResult, string, Task<IReadOnlyList<string>>> findNames)
{
    /// <summary>Finds the words that may stand last.</summary>
    /// <param name="before">Complete words, without the program.</param>
    /// <param name="current">What there is of the word that is typed; may be empty.</param>
    public async Task<Candidates> FindAsync(IReadOnlyList<string> before, string current)
    {
        var parsed = root.Parse(before, ProgramCommand.Parsing);
        var hasOptions = !before.Contains("--", StringComparer.Ordinal);
        if (hasOptions)
        {
            // "--output json", and "--output=json", which bash splits into three words.
            var (option, value) = (before, current) switch
            {
                ([.., var name], "=") => (OptionOf(parsed, name), ""),
                ([.., var name, "="], _) => (OptionOf(parsed, name), current),
                ([.., var name], _) when OptionOf(parsed, name) is { Arity.MinimumNumberOfValues: > 0 } known => (known, current),
                _ => (null, ""),
            };
            if (option is not null) return (await ValuesAsync(parsed, option, option.HelpName ?? "")).BeginningWith(value);
            if (current.Split('=', 2) is [['-', '-', ..] own, var begun] && OptionOf(parsed, own) is { } whole)
            {
                var values = (await ValuesAsync(parsed, whole, whole.HelpName ?? "")).BeginningWith(begun);
                return values with { Words = [.. values.Words.Select(candidate => ($"{own}={candidate.Word}", candidate.Meaning))] };
            }
            if (current.StartsWith('-')) return Options(parsed).BeginningWith(current);
        }
        var command = parsed.CommandResult.Command;
        if (command is not Verb) return parsed.UnmatchedTokens.Count > 0 ? Candidates.None : Commands(command).BeginningWith(current);
        return (await OperandsAsync(parsed, (Verb)command)).BeginningWith(current);
    }

    static Candidates Commands(Command command) =>
        new([.. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => (sub.Name, sub.Description ?? ""))]);

    /// <summary>By their long names; those that were given and are taken once are left out.</summary>
    static Candidates Options(ParseResult parsed) => new(
    [
        .. Help.OptionsOf(parsed.CommandResult)
            .Where(option => !option.Hidden
                && (option.Arity.MaximumNumberOfValues > 1 || parsed.GetResult(option) is not { Implicit: false }))
            .Select(option => (option.Name, option is HelpOption ? "Show help" : option.Description ?? "")),
    ]);

    static Option? OptionOf(ParseResult parsed, string name) =>
        Help.OptionsOf(parsed.CommandResult).FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    async Task<Candidates> OperandsAsync(ParseResult parsed, Verb verb)
    {
        var given = verb.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? []).Select(token => token.Value).ToArray();
        var left = given.Length;
        foreach (var argument in verb.Arguments)
        {
            if (left < argument.Arity.MaximumNumberOfValues)
            {
                var found = await ValuesAsync(parsed, argument, argument.Name);
                return found with { Words = [.. found.Words.Where(candidate => !given.Contains(candidate.Word))] };
            }
            left -= argument.Arity.MaximumNumberOfValues;
        }
        return Candidates.None;
    }

    // Asked one by one: together they would come in alphabetical order.
    static List<Func<CompletionContext, IEnumerable<CompletionItem>>> SourcesOf(Symbol symbol) => symbol switch
    {
        Option option => option.CompletionSources,
        Argument argument => argument.CompletionSources,
        _ => [],
    };

    // What a placeholder stands for is the same wherever it is used.
    async Task<Candidates> ValuesAsync(ParseResult parsed, Symbol symbol, string placeholder) => placeholder switch
    {
        "VOLUME" or "POOL" or "CUSTOMER" or "NODE" or "SNAPSHOT" or "OLDER" or "YOUNGER" or ExportCommands.Placeholder
            or PortalCommands.Placeholder or PathArgument.TrashedName or KeyValueArguments.KeyspacePlaceholder =>
            new([.. (await findNames(parsed, placeholder)).Select(name => (name, ""))]),
        "FILE" or "DEVICE" => new([], FileKind.Files),
        "DIR" or "DIRECTORY" or "ARCHIVE" or "BACKUPS" or "TARGET" => new([], FileKind.Directories),
        _ => new([.. SourcesOf(symbol).SelectMany(source => source(CompletionContext.Empty)).Select(item => (item.Label, ""))]),
    };
}
