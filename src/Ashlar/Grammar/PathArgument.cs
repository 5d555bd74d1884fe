using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Arguments with a parser of their own, so that every bad value gets one clear line.</summary>
static class PathArgument
{
    const string VolumeName = "VOLUME";
    const string PoolName = "POOL";
    const string Form = "VOLUME in pool main, or POOL/VOLUME";

    public static Argument<VolumePath> Volume() => new(VolumeName)
    {
        Description = $"The volume: {Form}",
        CustomParser = result => ParseAll(result)[0],
    };

    /// <summary>Several volumes, each named once.</summary>
    public static Argument<VolumePath[]> Volumes() => new(VolumeName)
    {
        Description = $"The volumes: {Form}",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. ParseAll(result).Distinct()],
    };

    public static Argument<string> Pool(bool isRequired) => new(PoolName)
    {
        Description = isRequired ? "The pool" : "The pool [default: main]",
        Arity = isRequired ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
        DefaultValueFactory = isRequired ? null : _ => VolumePath.MainPool,
    };

    static VolumePath[] ParseAll(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(token => VolumePath.Parse(token.Value))];
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return [default];
        }
    }
}
