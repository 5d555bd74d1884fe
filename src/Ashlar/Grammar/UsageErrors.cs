using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Finds the one line that tells best what is wrong with a command line.</summary>
static class UsageErrors
{
    /// <summary>The error of a command line, or null when it can be run.</summary>
    /// <param name="arguments">What the parser made of it.</param>
    /// <param name="words">What was typed.</param>
    /// <param name="lines">How hints begin.</param>
    public static CommandException? Find(ParseResult arguments, IReadOnlyList<string> words, CommandLines lines)
    {
        var command = arguments.CommandResult.Command;
        var help = lines.Of(string.Join(' ', Help.NamesOf(arguments.CommandResult).Append("--help")));
        // A wrong command is what is wrong, also when options follow that it would have.
        if (WrongCommand((RootCommand)arguments.RootCommandResult.Command, words, lines) is { } wrong) return wrong;
        if (UnknownOption(arguments) is { } option)
        {
            if (LeftWithoutValue(arguments, option) is { } unfinished) return Usage.Error($"{unfinished} needs a value", help);
            var nearest = Suggestions.Nearest(option, Help.OptionsOf(arguments.CommandResult).Select(known => known.Name));
            return Usage.Error($"unknown option '{option}'", nearest is null ? help : $"did you mean {nearest}?");
        }
        if (command is not Verb)
        {
            var commands = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name);
            return Usage.Error($"{Help.FullName(arguments.CommandResult)} needs a command: {string.Join(", ", commands)}", help);
        }
        if (Missing(arguments.CommandResult, (Verb)command) is { } missing) return Usage.Error($"{missing} is missing", help);
        if (arguments.Errors.FirstOrDefault(error => error.SymbolResult is OptionResult or ArgumentResult) is { } error)
            return Usage.Error(Describe(error), help);
        if (arguments.UnmatchedTokens.FirstOrDefault() is { } extra) return Usage.Error($"unexpected argument '{extra}'", help);
        return arguments.Errors is [var other, ..] ? Usage.Error(Describe(other), help) : null;
    }

    static CommandException? WrongCommand(RootCommand root, IReadOnlyList<string> words, CommandLines lines)
    {
        var path = CommandPath.Of(root, words);
        if (path.WrongAt is not { } at) return null;
        var meant = Correction.Of(root, words) is { } line
            ? $"did you mean: {lines.Of(ShellWord.Join(line))}"
            : lines.Of(string.Join(' ', path.Commands.Select(command => command.Name).Append("--help")));
        return Usage.Error($"'{words[at]}' is not a command of {path.Name}", meant);
    }

    /// <summary>The option that took a known one for its value: "--size --thick".</summary>
    static string? LeftWithoutValue(ParseResult arguments, string taken)
    {
        if (!Help.OptionsOf(arguments.CommandResult).Any(option => option.Name == taken || option.Aliases.Contains(taken))) return null;
        var before = arguments.Tokens
            .TakeWhile(token => token.Type != TokenType.Argument || token.Value.Split('=')[0] != taken)
            .LastOrDefault();
        return before is { Type: TokenType.Option } ? before.Value : null;
    }

    static string? UnknownOption(ParseResult arguments) => arguments.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && IsOption(token.Value))
        .Select(token => token.Value.Split('=')[0])
        .FirstOrDefault();

    /// <summary>"-1" is a value, "-x" and "--x" are options.</summary>
    static bool IsOption(string word) => word is ['-', '-', ..] || (word is ['-', var letter, ..] && char.IsAsciiLetter(letter));

    static string Describe(ParseError error) => error.SymbolResult switch
    {
        OptionResult { IdentifierTokenCount: > 1, Option.Arity.MaximumNumberOfValues: 1 } option =>
            $"{option.Option.Name} is given more than once",
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
