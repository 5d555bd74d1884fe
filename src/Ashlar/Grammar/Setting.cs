using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Options with a parser of their own, so that every bad value gets one clear line that names the option.</summary>
static class Setting
{
    /// <summary>
    /// An option that comes from the command line, or else the environment, or else a configuration file, or else its default.
    /// </summary>
    /// <param name="terminal">Where the environment is.</param>
    /// <param name="name">With its dashes.</param>
    /// <param name="valueName">For help: SIZE.</param>
    /// <param name="description">For help.</param>
    /// <param name="parse">Throws <see cref="FormatException"/> with a message that quotes the value.</param>
    /// <param name="defaultValue">When none of them says anything.</param>
    /// <param name="isInEnvironment">Whether <c>ASHLAR_NAME</c> is looked at, and the configuration file of commands that take one.</param>
    public static Option<T> Create<T>(
        Terminal terminal,
        string name,
        string valueName,
        string description,
        Func<string, T> parse,
        T defaultValue,
        bool isInEnvironment = false)
    {
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = valueName,
            CustomParser = result =>
            {
                if (isInEnvironment) CheckFile(result, name, parse);
                return Parse(result, result.Tokens[0].Value, name, parse);
            },
            DefaultValueFactory = result => isInEnvironment && Elsewhere(terminal, result, name) is var (value, source)
                ? Parse(result, value, source, parse)
                : defaultValue,
        };
        // The names of an enumeration are not what is typed.
        option.CompletionSources.Clear();
        return option;
    }

    /// <summary>The same for several values: the option may stand there more than once, and commas separate values.</summary>
    public static Option<IReadOnlyList<T>> CreateList<T>(
        Terminal terminal,
        string name,
        string valueName,
        string description,
        Func<string, T> parse,
        IReadOnlyList<T> defaultValue,
        bool isInEnvironment = false)
    {
        return new Option<IReadOnlyList<T>>(name)
        {
            Description = description,
            HelpName = valueName,
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result =>
            {
                if (isInEnvironment) CheckFile(result, name, text => ParseAll(result, text, "", parse));
                return ParseAll(result, string.Join(',', result.Tokens.Select(token => token.Value)), name, parse);
            },
            DefaultValueFactory = result => isInEnvironment && Elsewhere(terminal, result, name) is var (values, source)
                ? ParseAll(result, values, source, parse)
                : defaultValue,
        };
    }

    /// <summary>A flag that the command line, the environment or a configuration file sets.</summary>
    public static Option<bool> CreateFlag(Terminal terminal, string name, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = result =>
            Elsewhere(terminal, result, name) is var (value, source) && Parse(result, value, source, ParseBoolean),
    };

    /// <summary>"--nbd-port" is ASHLAR_NBD_PORT.</summary>
    public static string EnvironmentVariable(string option) =>
        "ASHLAR_" + option.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>A TCP port.</summary>
    public static int ParsePort(string text) => ushort.TryParse(text, out var port)
        ? port
        : throw new FormatException($"'{text}' is not a port: expected a number from 0 (any free port) to 65535");

    static (string Value, string Source)? Elsewhere(Terminal terminal, ArgumentResult result, string name) =>
        terminal.Environment(EnvironmentVariable(name)) is { } value
            ? (value, EnvironmentVariable(name))
            : ConfigurationFile.Find(result, name);

    // What a file says is right or wrong, whether it counts or not.
    static void CheckFile<T>(ArgumentResult result, string name, Func<string, T> parse)
    {
        if (ConfigurationFile.Find(result, name) is var (value, source)) _ = Parse(result, value, source, parse);
    }

    static T[] ParseAll<T>(ArgumentResult result, string text, string source, Func<string, T> parse) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries).Select(each => Parse(result, each, source, parse))];

    static T Parse<T>(ArgumentResult result, string text, string source, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (FormatException e)
        {
            result.AddError($"{source}: {e.Message}");
            return default!;
        }
    }

    static bool ParseBoolean(string text) => text.ToUpperInvariant() switch
    {
        "1" or "TRUE" or "YES" => true,
        "0" or "FALSE" or "NO" => false,
        _ => throw new FormatException($"'{text}' is neither true nor false"),
    };
}
