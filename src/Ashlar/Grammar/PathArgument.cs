using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>Arguments with a parser of their own, so that every bad value gets one clear line.</summary>
static class PathArgument
{
    /// <summary>What stands for a volume in the trash.</summary>
    public const string TrashedName = "TRASHED";

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

    /// <summary>A volume in the trash, by the name that it had, or by its id.</summary>
    public static Argument<VolumePath> Trashed() => new(TrashedName)
    {
        Description = $"The volume in the trash, by its name or id: {Form}",
        CustomParser = result => ParseAll(result)[0],
    };

    /// <summary>Several of them, or none.</summary>
    public static Argument<VolumePath[]> AnyTrashed() => new(TrashedName)
    {
        Description = $"The volumes in the trash, by names or ids: {Form} [default: all of the pool]",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = result => result.Tokens.Count == 0 ? [] : [.. ParseAll(result).Distinct()],
        DefaultValueFactory = _ => [],
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
