using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Caching.Registration;

/// <summary>Checks the options of the cache when the program starts.</summary>
sealed class KeyValueCacheOptionsValidator : IValidateOptions<KeyValueCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, KeyValueCacheOptions options)
    {
        try
        {
            options.Validate();
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException invalid)
        {
            return ValidateOptionsResult.Fail($"Ashlar cache, option {invalid.ParamName}: {invalid.Message}");
        }
    }
}
