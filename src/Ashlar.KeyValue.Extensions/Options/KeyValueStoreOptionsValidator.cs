using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Options;

/// <summary>Checks the options of one store when the program starts, before anything is created.</summary>
sealed class KeyValueStoreOptionsValidator(string store) : IValidateOptions<KeyValueStoreOptions>
{
    static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10), LongestInterval = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, KeyValueStoreOptions options)
    {
        if (name != store) return ValidateOptionsResult.Skip;
        if (string.IsNullOrWhiteSpace(options.Directory)) return Fail(nameof(options.Directory), "no directory is set");
        if (options.WatchInterval < ShortestInterval || options.WatchInterval > LongestInterval)
        {
            return Fail(
                nameof(options.WatchInterval), $"it is {options.WatchInterval}, and may be {ShortestInterval} to {LongestInterval}");
        }

        try
        {
            options.ToEngineOptions().Validate();
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException invalid)
        {
            return Fail(invalid.ParamName ?? "", invalid.Message);
        }
    }

    ValidateOptionsResult Fail(string option, string problem) =>
        ValidateOptionsResult.Fail($"{StoreNames.Describe(store)}, option {option}: {problem}");
}
