using Ashlar.KeyValue.Extensions.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Extensions;

/// <summary>A store that was registered, for what goes with it.</summary>
/// <param name="services">The services of the program.</param>
/// <param name="name">Name of the store; empty for the default one.</param>
public sealed class KeyValueBuilder(IServiceCollection services, string name)
{
    /// <summary>The services of the program.</summary>
    public IServiceCollection Services { get; } = services;

    /// <summary>Name of the store, which is its key among the services; empty for the default one.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Registers a keyspace of the store: <see cref="Keyspace"/> and <see cref="IKeyspace"/>, keyed by its name. It is opened with the
    /// store, and created if it is missing.
    /// </summary>
    /// <param name="keyspace">The name; 1 to 255 bytes as UTF-8.</param>
    /// <param name="serviceKey">Its key among the services; null: its name.</param>
    /// <returns>The same store.</returns>
    /// <exception cref="InvalidOperationException">The key stands for another keyspace, of this or of another store.</exception>
    public KeyValueBuilder AddKeyspace(string keyspace, string? serviceKey = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyspace);
        var key = serviceKey ?? keyspace;
        if (FindRegistered(key) is var (store, other))
        {
            if (store == Name && other == keyspace) return this;
            // The later one would be given to those who mean the earlier one, and each would write into the other's entries.
            throw new InvalidOperationException(
                $"The service key '{key}' stands for keyspace '{other}' of {Describe(store)}; "
                    + $"give keyspace '{keyspace}' of {Describe(Name)} another one by serviceKey.");
        }

        Services.AddKeyedSingleton(Name, new RegisteredKeyspace(keyspace, key));
        Services.AddKeyedSingleton(key, (provider, _) => provider.GetRequiredKeyedService<OpenedStore>(Name).Store.OpenKeyspace(keyspace));
        Services.AddKeyedSingleton<IKeyspace>(key, (provider, _) => provider.GetRequiredKeyedService<Keyspace>(key));
        return this;
    }

    (string Store, string Keyspace)? FindRegistered(string key)
    {
        foreach (var service in Services)
        {
            if (service is { IsKeyedService: true, ServiceKey: string store, KeyedImplementationInstance: RegisteredKeyspace found }
                && found.ServiceKey == key)
            {
                return (store, found.Name);
            }
        }

        return null;
    }

    static string Describe(string store) => store.Length == 0 ? "the default store" : $"store '{store}'";
}
