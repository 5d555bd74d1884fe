using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>What several file commands take.</summary>
static class FileArguments
{
    /// <summary>What stands for a path in the store.</summary>
    public const string PathName = "PATH";

    public static Argument<FileAddress> One(string description, string name = PathName) => new(name)
    {
        Description = description,
        CustomParser = static result => ParseAll(result)[0],
    };

    /// <summary>One, or the root.</summary>
    public static Argument<FileAddress> OneOrRoot(string description) => new(PathName)
    {
        Description = $"{description} [default: /]",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = static result => result.Tokens.Count == 0 ? new("/") : ParseAll(result)[0],
        DefaultValueFactory = static _ => new("/"),
    };

    /// <summary>Several, each named once.</summary>
    public static Argument<FileAddress[]> Several(string description) => new(PathName)
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = static result => [.. ParseAll(result).Distinct()],
    };

    public static Option<bool> Recursive(string description) => new("--recursive", "-r") { Description = description };

    public static Option<bool> Replace() => new("--replace") { Description = "Also in the place of a file that is there" };

    public static Option<bool> DryRun() => new("--dry-run") { Description = "Only say what would be done" };

    public static Option<int> Parallel(Terminal terminal) => Setting.Create(
        terminal, "--parallel", "COUNT", "Files at a time, 1 to 64 [default: 4]", ParseParallel, 4);

    static int ParseParallel(string text) => int.TryParse(text, out var count) && count is >= 1 and <= 64
        ? count
        : throw new FormatException($"'{text}' is not a number from 1 to 64");

    static FileAddress[] ParseAll(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(static token => FileAddress.Parse(token.Value))];
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return [default];
        }
    }
}
