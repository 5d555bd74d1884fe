using Ashlar.KeyValue.Extensions.Health;
using Ashlar.KeyValue.Extensions.Hosting;
using Ashlar.KeyValue.Extensions.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions;

/// <summary>Adds stores to the health checks of a program.</summary>
public static class KeyValueHealthChecksBuilderExtensions
{
    /// <summary>
    /// Checks a store that was registered by <c>AddAshlarKeyValue</c>. It is degraded while writers are slowed down, space is short, or
    /// work in the background fails, and unhealthy when it is closed or refuses every write. A check reads statistics and writes nothing.
    /// A program with a check of a store that was not registered does not start.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="store">Name of the store; empty for the default one.</param>
    /// <param name="name">Name of the check; null is <c>ashlar</c>, or <c>ashlar:</c> and the store's name.</param>
    /// <param name="failureStatus">What is reported instead of unhealthy.</param>
    /// <param name="tags">Tags of the check.</param>
    public static IHealthChecksBuilder AddAshlarKeyValue(
        this IHealthChecksBuilder builder,
        string store = "",
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(store);
        var check = name ?? (store.Length == 0 ? "ashlar" : $"ashlar:{store}");
        builder.Services.AddOptions<HealthCheckServiceOptions>().ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<HealthCheckServiceOptions>>(
            new CheckedStoreValidator(store, check, builder.Services));
        return builder.Add(new HealthCheckRegistration(
            check,
            provider => new KeyValueHealthCheck(provider.GetRequiredKeyedService<OpenedStore>(store).Store),
            failureStatus,
            tags));
    }
}
