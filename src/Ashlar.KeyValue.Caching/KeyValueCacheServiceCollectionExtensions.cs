using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Caching.Registration;
using Ashlar.KeyValue.Extensions;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Caching;

/// <summary>Registers the cache as the distributed cache of a program.</summary>
public static class KeyValueCacheServiceCollectionExtensions
{
    /// <summary>
    /// Name of the store that <see cref="AddAshlarCache(IServiceCollection, string, Action{KeyValueCacheOptions})"/> registers.
    /// </summary>
    public const string OwnStoreName = "cache";

    /// <summary>
    /// Registers <see cref="IDistributedCache"/> and <see cref="KeyValueCache"/> over a store of its own in a directory, which is opened
    /// and closed with the host. <c>HybridCache</c> and sessions find it as any other.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="directory">Directory of the store.</param>
    /// <param name="configure">Sets further options.</param>
    public static IServiceCollection AddAshlarCache(
        this IServiceCollection services, string directory, Action<KeyValueCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        services.AddAshlarKeyValue(OwnStoreName, options => options.Directory = directory);
        return services.AddAshlarCache(options =>
        {
            options.StoreName = OwnStoreName;
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Registers <see cref="IDistributedCache"/> and <see cref="KeyValueCache"/> over a store that <c>AddAshlarKeyValue</c> registers:
    /// <see cref="KeyValueCacheOptions.StoreName"/>. A host creates the cache before it starts any other service.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options.</param>
    public static IServiceCollection AddAshlarCache(this IServiceCollection services, Action<KeyValueCacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<KeyValueCacheOptions>().Configure(options => configure?.Invoke(options)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KeyValueCacheOptions>, KeyValueCacheOptionsValidator>());
        services.TryAddSingleton(Create);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CacheStart>());
        services.AddSingleton<IDistributedCache>(provider => provider.GetRequiredService<KeyValueCache>());
        return services;
    }

    /// <summary>
    /// As <see cref="AddAshlarCache(IServiceCollection, string, Action{KeyValueCacheOptions})"/>, with the options of a section of the
    /// configuration.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="directory">Directory of the store.</param>
    /// <param name="section">Holds <see cref="KeyValueCacheOptions"/>, and nothing else: an unknown name fails the start.</param>
    public static IServiceCollection AddAshlarCache(this IServiceCollection services, string directory, IConfiguration section) =>
        services.BindCache(section).AddAshlarCache(directory);

    /// <summary>
    /// As <see cref="AddAshlarCache(IServiceCollection, Action{KeyValueCacheOptions})"/>, with the options of a section of the
    /// configuration.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="section">Holds <see cref="KeyValueCacheOptions"/>, and nothing else: an unknown name fails the start.</param>
    public static IServiceCollection AddAshlarCache(this IServiceCollection services, IConfiguration section) =>
        services.BindCache(section).AddAshlarCache();

    static IServiceCollection BindCache(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddOptions<KeyValueCacheOptions>().Bind(section);
        return services.AddSingleton<IValidateOptions<KeyValueCacheOptions>>(new UnknownOptionValidator(section));
    }

    static KeyValueCache Create(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<KeyValueCacheOptions>>().Value;
        var store = options.StoreName.Length == 0
            ? provider.GetService<KeyValueStore>()
            : provider.GetKeyedService<KeyValueStore>(options.StoreName);
        if (store is null) throw NoStore(options.StoreName);
        options.TimeProvider ??= provider.GetRequiredService<IOptionsMonitor<KeyValueStoreOptions>>().Get(options.StoreName).TimeProvider
            ?? provider.GetService<TimeProvider>();
        return new KeyValueCache(store, options, provider.GetService<IMeterFactory>());
    }

    static InvalidOperationException NoStore(string name) => new(
        name.Length == 0
            ? "Ashlar cache: no key-value store is registered; AddAshlarKeyValue does that, or AddAshlarCache with a directory."
            : $"Ashlar cache, option {nameof(KeyValueCacheOptions.StoreName)}: no key-value store '{name}' is registered; "
                + "AddAshlarKeyValue does that.");
}
