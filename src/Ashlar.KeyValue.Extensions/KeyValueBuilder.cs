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
}
