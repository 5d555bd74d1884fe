using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Options whose values are few and known.</summary>
static class OptionExtensions
{
    /// <summary>Names the values that shells offer.</summary>
    public static Option<T> Offering<T>(this Option<T> option, params string[] values)
    {
        option.CompletionSources.Add(values);
        return option;
    }
}
