using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Paths of snapshots on the command line.</summary>
static class SnapshotArguments
{
    const string Form = "VOLUME@NAME in pool main, or POOL/VOLUME@NAME";

    public static Argument<SnapshotPath> One(string name = "SNAPSHOT", string description = "The snapshot") => new(name)
    {
        Description = $"{description}: {Form}",
        CustomParser = result => ParseAll(result)[0],
    };

    /// <summary>Several snapshots, each named once.</summary>
    public static Argument<SnapshotPath[]> Several() => new("SNAPSHOT")
    {
        Description = $"The snapshots: {Form}",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. ParseAll(result).Distinct()],
    };

    static SnapshotPath[] ParseAll(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(token => SnapshotPath.Parse(token.Value))];
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return [default];
        }
    }
}
