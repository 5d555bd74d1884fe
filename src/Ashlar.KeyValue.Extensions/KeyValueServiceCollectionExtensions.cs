using Ashlar.KeyValue.Extensions.Hosting;
using Ashlar.KeyValue.Extensions.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions;

/// <summary>Registers stores among the services of a program.</summary>
/// <remarks>
/// <para>A store is opened once: before the host starts any other service, or when it is first asked for where there is no host. One that
/// cannot be opened fails the start with the error of <see cref="KeyValueStore.Open"/>. It is closed, all of it durable, after every
/// hosted service has stopped, or with the container.</para>
/// <para>The default store is the service <see cref="KeyValueStore"/>, and <see cref="IKeyValueStore"/>; others are keyed by their names.
/// With each comes <see cref="TracedKeyValueStore"/>, by the same key; <see cref="KeyValueBuilder.AddKeyspace"/> adds keyspaces.</para>
/// </remarks>
public static class KeyValueServiceCollectionExtensions
{
    /// <summary>Registers the default store.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets its options; null leaves that to <c>Configure&lt;KeyValueStoreOptions&gt;</c>.</param>
    public static KeyValueBuilder AddAshlarKeyValue(this IServiceCollection services, Action<KeyValueStoreOptions>? configure = null) =>
        services.AddAshlarKeyValue(Microsoft.Extensions.Options.Options.DefaultName, configure);

    /// <summary>Registers the default store with the options of a section of the configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">Holds <see cref="KeyValueStoreOptions"/>, and nothing else: an unknown name fails the start.</param>
    public static KeyValueBuilder AddAshlarKeyValue(this IServiceCollection services, IConfiguration section) =>
        services.AddAshlarKeyValue(Microsoft.Extensions.Options.Options.DefaultName, section);

    /// <summary>Registers a store by a name, which is its key among the services.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The name.</param>
    /// <param name="configure">Sets its options; null leaves that to <c>Configure&lt;KeyValueStoreOptions&gt;</c>.</param>
    public static KeyValueBuilder AddAshlarKeyValue(
        this IServiceCollection services, string name, Action<KeyValueStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        var options = AddStore(services, name);
        if (configure is not null) options.Configure(configure);
        return new KeyValueBuilder(services, name);
    }

    /// <summary>Registers a store by a name with the options of a section of the configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The name.</param>
    /// <param name="section">Holds <see cref="KeyValueStoreOptions"/>, and nothing else: an unknown name fails the start.</param>
    public static KeyValueBuilder AddAshlarKeyValue(this IServiceCollection services, string name, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(section);
        AddStore(services, name).Bind(section);
        services.AddSingleton<IValidateOptions<KeyValueStoreOptions>>(new UnknownOptionValidator(name, section));
        return new KeyValueBuilder(services, name);
    }

    static OptionsBuilder<KeyValueStoreOptions> AddStore(IServiceCollection services, string name)
    {
        var options = services.AddOptions<KeyValueStoreOptions>(name);
        // Whoever registers a store again adds to its options.
        if (StoreNames.IsRegistered(services, name)) return options;
        options.ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeyValueStoreOptions>>(new KeyValueStoreOptionsValidator(name));
        services.AddKeyedSingleton(name, (provider, _) => OpenedStore.Open(provider, name));
        services.AddSingleton<IHostedService>(provider => new StoreLifetime(provider, name));
        if (name.Length == 0)
        {
            services.AddSingleton(provider => provider.GetRequiredKeyedService<OpenedStore>(name).Store);
            services.AddSingleton<IKeyValueStore>(provider => provider.GetRequiredKeyedService<OpenedStore>(name).Store);
            services.AddSingleton(provider => provider.GetRequiredKeyedService<OpenedStore>(name).Traced);
        }
        else
        {
            services.AddKeyedSingleton(name, (provider, _) => provider.GetRequiredKeyedService<OpenedStore>(name).Store);
            services.AddKeyedSingleton<IKeyValueStore>(name, (provider, _) => provider.GetRequiredKeyedService<OpenedStore>(name).Store);
            services.AddKeyedSingleton(name, (provider, _) => provider.GetRequiredKeyedService<OpenedStore>(name).Traced);
        }

        return options;
    }
}
