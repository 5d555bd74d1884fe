using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Arguments with a parser of their own, so that every bad value gets one clear line.</summary>
static class PathArgument
{
    public static Argument<VolumePath> Volume() => new("VOLUME")
    {
        Description = "The volume: VOLUME in pool main, or POOL/VOLUME",
        CustomParser = result =>
        {
            try
            {
                return VolumePath.Parse(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
                return default;
            }
        },
    };

    public static Argument<string> Pool(bool isRequired) => new("POOL")
    {
        Description = isRequired ? "The pool" : "The pool [default: main]",
        Arity = isRequired ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
        DefaultValueFactory = isRequired ? null : _ => VolumePath.MainPool,
    };
}
