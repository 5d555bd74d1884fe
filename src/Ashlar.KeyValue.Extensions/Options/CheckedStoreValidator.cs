using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Options;

/// <summary>
/// Fails the start where a health check is of a store that was not registered: it would fail every time, and say so at the first request.
/// </summary>
sealed class CheckedStoreValidator(string store, string check, IServiceCollection services) : IValidateOptions<HealthCheckServiceOptions>
{
    public ValidateOptionsResult Validate(string? name, HealthCheckServiceOptions options) => StoreNames.IsRegistered(services, store)
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail(
            $"health check '{check}': no {StoreNames.Describe(store)} is registered; AddAshlarKeyValue does that");
}
