using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Options;

/// <summary>
/// Fails the start where a section of the configuration has a name that is no option of a store: what was misspelt would have no effect,
/// and nobody would know until it is missed.
/// </summary>
sealed class UnknownOptionValidator(string store, IConfiguration section) : IValidateOptions<KeyValueStoreOptions>
{
    // What configuration can set: numbers, times, switches and texts. Doors to disk, clock and chance are set in code.
    static readonly HashSet<string> Names = new(
        typeof(KeyValueStoreOptions).GetProperties()
            .Where(option => option.PropertyType.IsValueType || option.PropertyType == typeof(string))
            .Select(option => option.Name),
        StringComparer.OrdinalIgnoreCase);

    public ValidateOptionsResult Validate(string? name, KeyValueStoreOptions options)
    {
        if (name != store) return ValidateOptionsResult.Skip;
        var unknown = section.GetChildren().Where(one => !Names.Contains(one.Key)).Select(one => one.Path).ToArray();
        return unknown.Length == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{StoreNames.Describe(store)}: the configuration sets {string.Join(", ", unknown)}, and there is no such option");
    }
}
