using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Caching.Registration;

/// <summary>
/// Fails the start where a section of the configuration has a name that is no option of a cache, as stores do: a bound that was misspelt
/// would be none.
/// </summary>
sealed class UnknownOptionValidator(IConfiguration section) : IValidateOptions<KeyValueCacheOptions>
{
    // What configuration can set; the clock is set in code.
    static readonly HashSet<string> Names = new(
        typeof(KeyValueCacheOptions).GetProperties()
            .Where(option => option.PropertyType.IsValueType || option.PropertyType == typeof(string))
            .Select(option => option.Name),
        StringComparer.OrdinalIgnoreCase);

    public ValidateOptionsResult Validate(string? name, KeyValueCacheOptions options)
    {
        var unknown = section.GetChildren().Where(one => !Names.Contains(one.Key)).Select(one => one.Path).ToArray();
        return unknown.Length == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Ashlar cache: the configuration sets {string.Join(", ", unknown)}, and there is no such option");
    }
}
