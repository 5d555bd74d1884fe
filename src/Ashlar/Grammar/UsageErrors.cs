using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Finds the one line that tells best what is wrong with a command line.</summary>
static class UsageErrors
{
    /// <summary>The error of a command line, or null when it can be run.</summary>
    public static CommandException? Find(ParseResult arguments)
    {
        var command = arguments.CommandResult.Command;
        var help = $"{Help.FullName(arguments.CommandResult)} --help";
        if (UnknownOption(arguments) is { } option)
        {
            var nearest = Suggestions.Nearest(option, Help.OptionsOf(arguments.CommandResult).Select(known => known.Name));
            return Usage.Error($"unknown option '{option}'", nearest is null ? help : $"did you mean {nearest}?");
        }
        if (command is not Verb)
        {
            var commands = command.Subcommands.Select(sub => sub.Name).ToArray();
            var name = Help.FullName(arguments.CommandResult);
            return arguments.UnmatchedTokens.FirstOrDefault() is { } word
                ? Usage.Error($"'{word}' is not a command of {name}", DidYouMean(word, command) ?? help)
                : Usage.Error($"{name} needs a command: {string.Join(", ", commands)}", help);
        }
        if (Missing(arguments.CommandResult, (Verb)command) is { } missing) return Usage.Error($"{missing} is missing", help);
        if (arguments.Errors.FirstOrDefault(error => error.SymbolResult is OptionResult or ArgumentResult) is { } error)
            return Usage.Error(Describe(error), help);
        if (arguments.UnmatchedTokens.FirstOrDefault() is { } extra) return Usage.Error($"'{extra}' is one word too many", help);
        return arguments.Errors is [var other, ..] ? Usage.Error(Describe(other), help) : null;
    }

    static string? DidYouMean(string word, Command command) =>
        Suggestions.Nearest(word, command.Subcommands.SelectMany(sub => sub.Aliases.Append(sub.Name))) is { } nearest
            ? $"did you mean {nearest}?"
            : null;

    static string? UnknownOption(ParseResult arguments) => arguments.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && IsOption(token.Value))
        .Select(token => token.Value.Split('=')[0])
        .FirstOrDefault();

    /// <summary>"-1" is a value, "-x" and "--x" are options.</summary>
    static bool IsOption(string word) => word is ['-', '-', ..] || (word is ['-', var letter, ..] && char.IsAsciiLetter(letter));

    static string Describe(ParseError error) => error.SymbolResult switch
    {
        OptionResult { IdentifierTokenCount: > 1 } option => $"{option.Option.Name} is given more than once",
        OptionResult { Tokens.Count: 0, Option: { Arity.MinimumNumberOfValues: > 0 } option, Implicit: false } =>
            $"{option.Name} needs a value",
        _ => error.Message.TrimEnd('.'),
    };

    /// <summary>The first argument or required option that does not stand on the command line.</summary>
    static string? Missing(CommandResult result, Verb verb)
    {
        var arguments = verb.Arguments
            .Where(argument => argument.Arity.MinimumNumberOfValues > 0 && result.GetResult(argument) is not { Tokens.Count: > 0 })
            .Select(argument => argument.Name);
        var options = verb.Options
            .Where(option => option.Required && (result.GetResult(option) is not { } given || given.IdentifierTokenCount == 0))
            .Select(option => option.Name);
        return arguments.Concat(options).FirstOrDefault();
    }
}
